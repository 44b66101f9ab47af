"""A change of a parameter makes a new version of each function that it changes, and of no other.

The alias serves a version, so a changed function without a new version goes on as it was. And Lambda publishes no version
of a function that is as it was, at which the deployment would fail:
https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
"""

import sys

from cloudformation import Stack, load, translate

# What is the function's own and no version's.
NOT_IN_A_VERSION = {"ReservedConcurrentExecutions", "Tags"}

SCRAM = {
    "KafkaAuth": "scram",
    "KafkaCredentialsSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:AmazonMSK_joiner-AbCdEf",
    "KafkaCredentialsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555",
}
BROUGHT = {
    "VpcId": "vpc-1",
    "SubnetIds": "subnet-1,subnet-2,subnet-3",
    "FunctionSecurityGroupId": "sg-1",
    "KafkaClusterArn": "arn:aws:kafka:us-east-1:111122223333:cluster/shared/11111111-2222-3333-4444-555555555555-1",
    "KafkaBootstrapServers": "b-1.shared.example:9096,b-2.shared.example:9096,b-3.shared.example:9096",
    "CacheUrl": "rediss://cache.example:6379",
    "CacheCredentialsSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:cache-AbCdEf",
}
OKTA = {"OktaOrgUrl": "https://example.okta.com"}
STARTS = {"everything made": OKTA, "everything made, SCRAM": OKTA | SCRAM, "everything brought": OKTA | SCRAM | BROUGHT}


def others(template, name, value):
    """Other values that the parameter may have."""
    spec = template["Parameters"][name]
    if "AllowedValues" in spec:
        return [other for other in spec["AllowedValues"] if other != value]
    if spec["Type"] == "Number":
        return [int(value) + 1]
    return [f"{value}x" if value else BROUGHT.get(name) or SCRAM.get(name) or "x"]


def functions(template, parameters):
    """Of each function what a version of it would hold, and what tells its version from others."""
    translated = translate(template, parameters)
    stack = Stack(translated, parameters)
    found = {}
    for logical, resource in translated["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            held = {k: v for k, v in stack.properties(logical).items() if k not in NOT_IN_A_VERSION}
            [version] = [
                name
                for name, other in translated["Resources"].items()
                if other["Type"] == "AWS::Lambda::Version" and other["Properties"]["FunctionName"] == {"Ref": logical}
            ]
            found[logical] = held, (held["FunctionName"], version, stack.properties(version))
    return found


def main(path):
    template = load(path)
    faults, changes, concerned = [], 0, set()
    for start, parameters in STARTS.items():
        before = functions(template, parameters)
        for name in template["Parameters"]:
            value = Stack(template, parameters).parameters.get(name, "")
            for other in others(template, name, value):
                changed = parameters | {name: other}
                if Stack(template, changed).broken_rules():
                    continue
                changes += 1
                for function, (held, version) in functions(template, changed).items():
                    held_before, version_before = before[function]
                    description = str(version[2].get("Description", ""))
                    if len(description) > 256:
                        faults.append(f"{function}: its version's description can be over 256 characters: {description}")
                    if held != held_before:
                        concerned.add(name)
                    if (held != held_before) != (version != version_before):
                        wrong = "gets no new version" if held != held_before else "would get a version without a change"
                        faults.append(f"{start}, {name} from {value!r} to {other!r}: {function} {wrong}")
    print("\n".join(faults) or f"={changes} changes, {len(concerned)} parameters concern functions")
    return bool(faults) or len(concerned) < 10


sys.exit(main(*sys.argv[1:]))

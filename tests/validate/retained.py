"""What outlives its stack does so on purpose, and never stands in the way of a second try.

A first deployment that fails is rolled back. What it leaves has a name that the next one can't take, so
RetainExceptOnCreate deletes it then, and keeps it at any other time:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
"""

import json
import pathlib
import sys

from cloudformation import Stack, load

GUIDE = "docs/operations.md"
HOLDS_DATA = {
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::MSK::Cluster",
    "AWS::MSK::ServerlessCluster",
    "AWS::MSK::Topic",
    "AWS::SecretsManager::Secret",
}
# May go while something that is kept refers to them.
MAY_GO_BEFORE = {"AWS::Logs::LogGroup"}
NAMES = ("TableName", "Name", "ClusterName", "TopicName")


def references(value):
    """The logical names that a value of the template refers to."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(references, value.values()))
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        attribute = value["Fn::GetAtt"]
        found.add((attribute if isinstance(attribute, str) else attribute[0]).split(".")[0])
    if "Fn::Sub" in value:
        found |= {part.split("}")[0].split(".")[0] for part in json.dumps(value["Fn::Sub"]).split("${")[1:]}
    return found


def check(path, deletion, faults):
    template = load(path)
    resources = template["Resources"]
    kept = {name for name, r in resources.items() if r.get("DeletionPolicy") == "RetainExceptOnCreate"}
    for name, resource in resources.items():
        place, policy = f"{path}, {name}", resource.get("DeletionPolicy")
        if policy == "Retain":
            faults.append(f"{place}: Retain keeps it when its first deployment fails: RetainExceptOnCreate")
        if resource["Type"] in HOLDS_DATA and policy is None:
            faults.append(f"{place}: say whether it outlives its stack")
        if name not in kept:
            continue
        if resource.get("UpdateReplacePolicy") != "Retain":
            faults.append(f"{place}: it is kept at its stack's end, and not when it is replaced")
        for other in references(resource.get("Properties")) & set(resources) - kept:
            if resources[other]["Type"] not in MAY_GO_BEFORE:
                faults.append(f"{place} is kept and needs {other}, which is not")
        for stage in ("dev", "staging", "prod"):
            if Stack(template, {"Stage": stage}).properties(name).get("DeletionProtectionEnabled") in (True, "true"):
                faults.append(f"{place}: in {stage} it can't be deleted when its first deployment is rolled back")
        named = Stack(template, {"Stage": "$STAGE"})
        for name_of in NAMES:
            if name_of in resource.get("Properties", {}):
                shown = named.value(resource["Properties"][name_of])
                if shown not in deletion:
                    faults.append(f"{place}: {GUIDE} doesn't say under Deletion that {shown} is left")
    return len(kept)


def main(paths):
    guide = pathlib.Path(GUIDE).read_text()
    deletion = guide.partition("\n## Deletion\n")[2].partition("\n## ")[0]
    faults = [] if deletion else [f"{GUIDE} has no section Deletion"]
    kept = sum(check(path, deletion, faults) for path in paths)
    print("\n".join(faults) or f"={kept} resources outlive their stack")
    return bool(faults) or kept < 10


sys.exit(main(sys.argv[1:]))

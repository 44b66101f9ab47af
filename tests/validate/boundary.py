"""Every role that the stacks make has the boundary of infra/delivery.yaml, and no need of more than it allows."""

import fnmatch
import sys

from cloudformation import Stack, load, translate

BOUNDARY = "arn:aws:iam::111122223333:policy/joiner-dev-boundary"
# What AWS's own policy for it allows is in the boundary under CodeDeploy.
MANAGED = {"arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"}


def listed(value):
    return value if isinstance(value, list) else [value]


def main(path):
    statements = load("infra/delivery.yaml")["Resources"]["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = [action for statement in statements for action in listed(statement["Action"])]
    given = {"Stage": "dev", "OktaOrgUrl": "https://example.okta.com", "PermissionsBoundaryArn": BOUNDARY}
    faults, roles = [], 0
    for stack in Stack(translate(load(path), given), given).all():
        for name, resource in stack.template["Resources"].items():
            place, properties = f"{stack.path}, {name}", stack.properties(name)
            if resource["Type"] == "AWS::IAM::Role":
                roles += 1
                if properties.get("PermissionsBoundary") != BOUNDARY:
                    faults.append(f"{place}: a delivery can't make it without the boundary")
                for arn in set(properties.get("ManagedPolicyArns", [])) - MANAGED:
                    faults.append(f"{place}: {arn} is not one that the boundary was written for")
                policies = properties.get("Policies", [])
            else:
                policies = [properties] if resource["Type"] == "AWS::IAM::RolePolicy" else []
            for policy in policies:
                for statement in policy["PolicyDocument"]["Statement"]:
                    if statement["Effect"] == "Allow":
                        for action in listed(statement["Action"]):
                            if not any(fnmatch.fnmatchcase(action, pattern) for pattern in allowed):
                                faults.append(f"{place}: {action} is beyond the boundary")
    print("\n".join(faults) or f"={roles} roles within {len(allowed)} actions")
    return bool(faults) or roles < 5


sys.exit(main(*sys.argv[1:]))

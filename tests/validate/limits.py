"""What the guide says of AWS's limits is what the templates take of them."""

import pathlib
import sys

from cloudformation import Stack, load, translate

GUIDE = "docs/operations.md"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
RESOURCES = 500
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
UNRESERVED = 100


def deployed(path, stage):
    given = {"Stage": stage, "OktaOrgUrl": "https://example.okta.com", "CanaryEmail": "joiner-canary@example.com"}
    return Stack(translate(load(path), given), given)


def reserved_by(root):
    functions = [name for name, r in root.template["Resources"].items() if r["Type"] == "AWS::Lambda::Function"]
    return sum(int(root.properties(name).get("ReservedConcurrentExecutions", 0)) for name in functions)


def main(path):
    root = deployed(path, "prod")
    sizes = {}
    for stack in root.all():
        there = [logical for logical in stack.template["Resources"] if stack.exists(logical)]
        sizes[str(stack.path)] = max(sizes.get(str(stack.path), 0), len(there))
    reserved = reserved_by(root)
    own = sizes.pop(path)
    largest = max(sizes, key=sizes.get)
    faults = [f"{name} has {size} resources" for name, size in {path: own, **sizes}.items() if size > RESOURCES]
    guide = pathlib.Path(GUIDE).read_text()
    said = guide.partition("\n## Limits\n")[2].partition("\n## ")[0]
    for row in (
        f"with a topic 7, and a table 2 | {own} | {own} + ",
        f"the next largest, `{largest}` | {sizes[largest]} |",
        f"| {reserved} | {reserved} + ",
    ):
        if row not in said:
            faults.append(f"{GUIDE}: Limits doesn't say {row!r}")
    for stage in ("prod", "staging", "dev"):
        needed = f"{reserved_by(deployed(path, stage)) + UNRESERVED} for `{stage}`"
        if needed not in " ".join(guide.partition("\n## First deployment\n")[2].split()):
            faults.append(f"{GUIDE}: First deployment doesn't say {needed!r}")
    print("\n".join(faults) or f"={own} resources, {reserved} reserved")
    return bool(faults)


sys.exit(main(*sys.argv[1:]))

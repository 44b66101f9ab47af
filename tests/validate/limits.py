"""What the guide says of AWS's limits is what the templates take of them."""

import pathlib
import sys

from cloudformation import Stack, load, translate

GUIDE = "docs/operations.md"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
RESOURCES = 500


def main(path):
    given = {"Stage": "prod", "OktaOrgUrl": "https://example.okta.com", "CanaryEmail": "joiner-canary@example.com"}
    root = Stack(translate(load(path), given), given)
    sizes = {}
    for stack in root.all():
        there = [logical for logical in stack.template["Resources"] if stack.exists(logical)]
        sizes[str(stack.path)] = max(sizes.get(str(stack.path), 0), len(there))
    functions = [name for name, r in root.template["Resources"].items() if r["Type"] == "AWS::Lambda::Function"]
    reserved = sum(int(root.properties(name).get("ReservedConcurrentExecutions", 0)) for name in functions)
    own = sizes.pop(path)
    largest = max(sizes, key=sizes.get)
    faults = [f"{name} has {size} resources" for name, size in {path: own, **sizes}.items() if size > RESOURCES]
    said = pathlib.Path(GUIDE).read_text().partition("\n## Limits\n")[2].partition("\n## ")[0]
    for row in (
        f"with a topic 7, and a table 2 | {own} | {own} + ",
        f"the next largest, `{largest}` | {sizes[largest]} |",
        f"| {reserved} | {reserved} + ",
    ):
        if row not in said:
            faults.append(f"{GUIDE}: Limits doesn't say {row!r}")
    print("\n".join(faults) or f"={own} resources, {reserved} reserved")
    return bool(faults)


sys.exit(main(*sys.argv[1:]))

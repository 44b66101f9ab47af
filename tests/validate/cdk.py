"""The CDK app makes everything that the template has, as the template has it, and a topic of its own."""

import json
import pathlib
import sys


def main(translated, synthesised):
    ours, theirs = (json.loads(pathlib.Path(path).read_text()) for path in (translated, synthesised))
    faults = []
    for name, resource in ours["Resources"].items():
        made = theirs["Resources"].get(name, {})
        if made.get("Type") != resource["Type"]:
            faults.append(f"{name} is missing")
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy", "Condition"):
            if made.get(attribute) != resource.get(attribute):
                faults.append(f"{name}: its {attribute} is {made.get(attribute)}, not {resource.get(attribute)}")
    added = sorted(theirs["Resources"][name]["Type"] for name in set(theirs["Resources"]) - set(ours["Resources"]))
    if "AWS::SNS::Topic" not in added:
        faults.append("the topic of its own is missing")
    if "Stage" in theirs["Parameters"]:
        faults.append("the stage is still a parameter")
    print("\n".join(faults) or f"={len(ours['Resources'])} resources of the template, and {len(added)} of its own")
    return bool(faults)


sys.exit(main(*sys.argv[1:]))

"""Whoever is woken by an alarm finds what to do, and no alarm is green because it can't be asked.

Each alarm's description ends with its place in the guide, each place there is some alarm's, and the guide's costs count
what there is.
"""

import pathlib
import re
import sys

from cloudformation import Stack, load

GUIDE = pathlib.Path("docs/operations.md").read_text()
PLACE = re.compile(r" docs/operations\.md#([a-z0-9-]+)$")


def metrics_of(alarm):
    """How many metrics it looks at, which is what it costs."""
    return sum("MetricStat" in metric or "SELECT" in metric["Expression"] for metric in alarm.get("Metrics", [])) or 1


def main(paths):
    described = set(re.findall(r"^### ([a-z0-9-]+)$", GUIDE.partition("\n## Alarms\n")[2], re.M))
    faults, named, watched, made, alarms = [], set(), 0, 0, 0
    for path in paths:
        template = load(path)
        stack = Stack(template, {"Stage": "prod", "OktaOrgUrl": "https://example.okta.com"})
        for logical, resource in template["Resources"].items():
            place = f"{path}, {logical}"
            if resource["Type"] == "AWS::Logs::MetricFilter":
                made += 1
            if resource["Type"] != "AWS::CloudWatch::Alarm":
                continue
            alarms += 1
            properties = resource["Properties"]
            if stack.exists(logical):
                watched += metrics_of(stack.properties(logical))
            anchor = PLACE.search(properties["AlarmDescription"])
            if not anchor or anchor[1] not in described:
                faults.append(f"{place}: its description doesn't end with its place in docs/operations.md")
            else:
                named.add(anchor[1])
                name = stack.value(properties["AlarmName"])
                if not name.endswith(f"-{anchor[1]}") and not name.endswith("-failing"):
                    faults.append(f"{place}: {name} isn't called as its place, {anchor[1]}")
            if "TreatMissingData" not in properties:
                faults.append(f"{place}: say what silence is (TreatMissingData)")
            told = Stack(template, {"Stage": "prod", "AlarmTopicArn": "arn:topic"}).value(properties["AlarmActions"])
            if told != ["arn:topic"]:
                faults.append(f"{place} doesn't tell AlarmTopicArn")
            if len(properties.get("Metrics", [])) > 11:
                faults.append(f"{place}: an alarm takes ten metrics and an expression")
    faults += [f"docs/operations.md: no alarm is called {name}" for name in sorted(described - named)]
    costs = f"{made} metrics, {watched} metrics in alarms"
    if costs not in GUIDE:
        faults.append(f"docs/operations.md: its costs don't say {costs!r}")
    print("\n".join(faults) or f"={alarms} alarms, {costs}")
    return bool(faults) or alarms < 20


sys.exit(main(sys.argv[1:]))

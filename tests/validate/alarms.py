"""Whoever is woken by an alarm finds what to do, and no alarm is green because it can't be asked.

Each alarm's description ends with its place in the guide, each place there is some alarm's, and the guide's costs count
what there is.
"""

import pathlib
import re
import sys

from cloudformation import Stack, load, translate

GUIDE = pathlib.Path("docs/operations.md").read_text()
PLACE = re.compile(r" docs/operations\.md#([a-z0-9-]+)$")
THROTTLES = {"ReadThrottleEvents", "WriteThrottleEvents"}

PARAMETERS = {
    "Stage": "prod",
    "OktaOrgUrl": "https://example.okta.com",
    "CanaryEmail": "joiner-canary@example.com",
    "AlarmTopicArn": "arn:topic",
}


def metrics_of(alarm):
    """How many metrics it looks at, which is what it costs."""
    return sum("MetricStat" in metric or "SELECT" in metric["Expression"] for metric in alarm.get("Metrics", [])) or 1


def tables_of(stack):
    """Each table and index that it makes, as an alarm's dimensions name them."""
    for logical, resource in stack.template["Resources"].items():
        if resource["Type"] == "AWS::DynamoDB::Table" and stack.exists(logical):
            table = stack.reference(logical)
            yield from ((table, index["IndexName"]) for index in stack.properties(logical).get("GlobalSecondaryIndexes", []))
            yield (table,)


def throttles_of(alarm):
    """The metrics of throttles that it looks at, each with the table, and the index, that it is of."""
    for metric in (query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query):
        if metric["MetricName"] in THROTTLES:
            yield metric["MetricName"], tuple(dimension["Value"] for dimension in metric["Dimensions"])


def main(paths):
    described = set(re.findall(r"^### ([a-z0-9-]+)$", GUIDE.partition("\n## Alarms\n")[2], re.M))
    faults, named, made, watched, composed, alarms = [], set(), 0, 0, 0, 0
    roots, tables, throttles = [], set(), set()
    for path in paths:
        given = {name: value for name, value in PARAMETERS.items() if name in load(path)["Parameters"]}
        template = translate(load(path), given) if "Transform" in load(path) else load(path)
        roots.append(Stack(template, given, path))
    for stack in (stack for root in roots for stack in root.all()):
        resources = {name: r for name, r in stack.template["Resources"].items() if stack.exists(name)}
        tables.update(tables_of(stack))
        rules = " ".join(str(r.get("Properties", {}).get("AlarmRule")) for r in resources.values())
        for logical, resource in resources.items():
            if resource["Type"] == "AWS::Logs::MetricFilter":
                made += 1
            if resource["Type"] not in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
                continue
            alarms += 1
            properties = stack.properties(logical)
            name = properties["AlarmName"]
            place = f"{stack.path}, {logical} ({name})"
            if resource["Type"] == "AWS::CloudWatch::CompositeAlarm":
                composed += 1
            else:
                watched += metrics_of(properties)
                throttles.update(throttles_of(properties))
                if "TreatMissingData" not in properties:
                    faults.append(f"{place}: say what silence is (TreatMissingData)")
                if len(properties.get("Metrics", [])) > 11:
                    faults.append(f"{place}: an alarm takes ten metrics and an expression")
            anchor = PLACE.search(" " + properties["AlarmDescription"])
            if not anchor or anchor[1] not in described:
                faults.append(f"{place}: its description doesn't end with its place in docs/operations.md")
                continue
            named.add(anchor[1])
            # One alarm's place stands for all of its kind: function-late is joiner-prod-enrichment-late.
            if not name.endswith("-" + re.sub("^(function|objective|table)-", "", anchor[1])) and "-burning-" not in name:
                faults.append(f"{place} isn't called as its place, {anchor[1]}")
            # What a composite alarm rests on leaves the telling to that.
            if f"${{{logical}}}" not in rules and properties.get("AlarmActions") != ["arn:topic"]:
                faults.append(f"{place} doesn't tell AlarmTopicArn")
    faults += [f"docs/operations.md: no alarm is called {name}" for name in sorted(described - named)]
    for metric, of in sorted({(metric, of) for metric in THROTTLES for of in tables} - throttles):
        faults.append(f"no alarm looks at {metric} of {', '.join(of)}")
    costs = f"{made} metrics, {watched} metrics in alarms, {composed} composite alarms"
    if costs not in GUIDE:
        faults.append(f"docs/operations.md: its costs don't say {costs!r}")
    print("\n".join(faults) or f"={alarms} alarms, {costs}")
    return bool(faults) or alarms < 20


sys.exit(main(sys.argv[1:]))

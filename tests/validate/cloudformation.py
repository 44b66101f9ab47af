"""What CloudFormation makes of our templates with given parameters, as far as it can be known without an account.

What only AWS knows (an ARN, a generated name) is a text that names it: two such texts are the same exactly where the
values would be.
"""

import copy
import functools
import hashlib
import json
import logging
import pathlib

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

# The translator misses a service of AWS's own.
logging.disable(logging.WARNING)

NOTHING = object()

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::NoValue": NOTHING,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "joiner",
    "AWS::URLSuffix": "amazonaws.com",
}

# A change of any of their properties makes another one, so that what refers to it sees another value.
MADE_ANEW_BY_ANY_CHANGE = {"AWS::AppConfig::HostedConfigurationVersion"}


@functools.cache
def load(path):
    """Not to be changed by whoever gets it."""
    return yaml_parse(pathlib.Path(path).read_text())


def with_defaults(template, parameters):
    defaults = {name: spec["Default"] for name, spec in template.get("Parameters", {}).items() if "Default" in spec}
    return {**defaults, **parameters}


def translate(template, parameters):
    """As SAM's transform does in the account; `sam package` has put the code where it says, before."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/the-same-code"
    return Translator({}, Parser()).translate(template, with_defaults(template, parameters))


class Stack:
    def __init__(self, template, parameters, path="template.yaml"):
        self.template = template
        self.path = pathlib.Path(path)
        self.nested = {}
        self.parameters = with_defaults(template, parameters)
        for name, spec in template.get("Parameters", {}).items():
            value = self.parameters.get(name)
            if spec["Type"] == "CommaDelimitedList" and isinstance(value, str):
                self.parameters[name] = value.split(",")

    def all(self):
        """Itself, and each that it makes."""
        yield self
        for logical, resource in self.template["Resources"].items():
            if resource["Type"] == "AWS::CloudFormation::Stack" and self.exists(logical):
                yield from self.nested_stack(logical).all()

    def nested_stack(self, logical):
        if logical not in self.nested:
            properties = self.template["Resources"][logical]["Properties"]
            path = self.path.parent / properties["TemplateURL"]
            self.nested[logical] = Stack(load(path), self.value(properties.get("Parameters", {})), path)
        return self.nested[logical]

    def condition(self, name):
        return self.value(self.template["Conditions"][name])

    def exists(self, logical):
        resource = self.template["Resources"][logical]
        return "Condition" not in resource or self.condition(resource["Condition"])

    def properties(self, logical):
        return self.value(self.template["Resources"][logical].get("Properties", {}))

    def broken_rules(self):
        """The descriptions of the rules that these parameters break."""
        broken = []
        for rule in self.template.get("Rules", {}).values():
            if self.value(rule.get("RuleCondition", True)):
                broken += [a["AssertDescription"] for a in rule["Assertions"] if not self.value(a["Assert"])]
        return broken

    def outputs(self):
        return {name: self.value(output["Value"]) for name, output in self.template.get("Outputs", {}).items()}

    def value(self, value):
        if isinstance(value, list):
            return [item for item in map(self.value, value) if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function == "Condition" or function.startswith("Fn::"):
                return self.call(function.removeprefix("Fn::"), argument)
        resolved = {key: self.value(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NOTHING}

    def call(self, function, argument):
        if function == "Condition":
            return self.condition(argument)
        if function == "Ref":
            return self.reference(argument)
        if function == "GetAtt":
            return self.attribute(argument)
        if function == "If":
            name, then, otherwise = argument
            return self.value(then if self.condition(name) else otherwise)
        if function == "Sub":
            return self.substitute(argument)
        argument = self.value(argument)
        match function:
            case "Equals":
                return str(argument[0]) == str(argument[1])
            case "Not":
                return not argument[0]
            case "And":
                return all(argument)
            case "Or":
                return any(argument)
            case "Contains":
                return argument[1] in argument[0]
            case "FindInMap":
                name, top, second = argument
                return self.template["Mappings"][name][top][second]
            case "Join":
                parts = argument[1] if isinstance(argument[1], list) else [argument[1]]
                return argument[0].join(map(str, parts))
            case "Split":
                return argument[1].split(argument[0])
            case "Select" if isinstance(argument[1], list) and int(argument[0]) < len(argument[1]):
                return argument[1][int(argument[0])]
        return f"<{function} {json.dumps(argument)}>"

    def reference(self, name):
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        if name in self.template.get("Parameters", {}):
            return f"<{name}>"
        resource = self.template["Resources"][name]
        if resource["Type"] in MADE_ANEW_BY_ANY_CHANGE:
            text = json.dumps(self.properties(name), sort_keys=True)
            return f"<{name} {hashlib.sha256(text.encode()).hexdigest()[:8]}>"
        return f"<{name}>"

    def attribute(self, argument):
        logical, _, attribute = (argument if isinstance(argument, str) else ".".join(argument)).partition(".")
        resource = self.template["Resources"][logical]
        if resource["Type"] == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
            return self.nested_stack(logical).outputs()[attribute.removeprefix("Outputs.")]
        return f"<{logical}.{attribute}>"

    def substitute(self, argument):
        text, own = argument if isinstance(argument, list) else (argument, {})
        own = {key: self.value(item) for key, item in own.items()}
        made = ""
        while "${" in text:
            before, _, text = text.partition("${")
            name, _, text = text.partition("}")
            made += before
            if name.startswith("!"):
                made += "${" + name[1:] + "}"
            elif name in own:
                made += str(own[name])
            else:
                made += str(self.attribute(name) if "." in name else self.reference(name))
        return made + text

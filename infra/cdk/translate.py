"""What SAM's transform makes of a template, which CDK can't run: plain CloudFormation, as JSON.

    "$(infra/tools.sh sam)/../sam/bin/python" infra/cdk/translate.py packaged.yaml >template.json

A template that wasn't packaged has its functions' code nowhere: --unpackaged puts a name in its place, which is enough to
see what would be made.
"""

import json
import pathlib
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

path, *options = sys.argv[1:]
template = yaml_parse(pathlib.Path(path).read_text())
if "--unpackaged" in options:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://not-packaged/code"
parameters = {name: spec["Default"] for name, spec in template["Parameters"].items() if "Default" in spec}
translated = Translator({}, Parser()).translate(template, parameters)
# SAM's linter's, not CloudFormation's.
translated.pop("Metadata", None)
json.dump(translated, sys.stdout, indent=1)

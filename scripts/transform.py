"""Write the template as CloudFormation sees it, after the SAM transform, so that cfn-lint can look at that too.

A circle such as function -> role -> policy -> function only exists once SAM has made the roles, permissions and
rules; a linter of the source template is blind to it.

    python -m scripts.transform [template.yaml] [.build/template.transformed.json]
"""

import json
import os
import sys
from pathlib import Path

from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

from scripts.template_file import Template, load

PLACEHOLDER = "s3://build/not-uploaded.zip"
CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class NoManagedPolicies:
    """Stands in for the loader that asks IAM: the template names managed policies by ARN only."""

    def load(self) -> dict[str, str]:
        """No policy at all, so an unknown name is an error of the transform."""
        return {}


def transformed(template: Template) -> Template:
    """The template after the SAM transform, offline; raises InvalidDocumentException where SAM refuses it."""
    for resource in template["Resources"].values():
        if name := CODE_PROPERTIES.get(resource["Type"]):
            resource["Properties"][name] = PLACEHOLDER  # the transform takes no local path
    # The transform asks boto3 for a region to tell the partition; ARNs in the result keep their pseudo parameters.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    result: Template = transform(template, {}, NoManagedPolicies())
    return result


def main(source: str = "template.yaml", target: str = ".build/template.transformed.json") -> int:
    """Transform `source` into `target`; 1 and the reasons on stderr where SAM refuses."""
    try:
        result = transformed(load(Path(source)))
    except InvalidDocumentException as refused:
        reasons = "\n".join(f"  {cause.message}" for cause in refused.causes)
        sys.stderr.write(f"{source}: {refused.message}\n{reasons}\n")
        return 1
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

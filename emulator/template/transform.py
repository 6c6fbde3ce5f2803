"""AWS's own SAM translator, kept from looking for code in S3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import boto3
import yaml
from samtranslator.metrics.metrics import Metrics
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from emulator.template.errors import TemplateError
from emulator.template.names import REGION
from emulator.template.values import Json, Object, as_object

# The translator takes S3 addresses only: a local folder becomes the key in a bucket of this name, and comes back from
# the plain resource, so that no logical id has to be followed through the translation.
_BUCKET = "local-folder"


def read(path: Path) -> Object:
    """The template as written."""
    try:
        document = yaml_parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TemplateError(f"there is no template {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}{_where(error)}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path}: not a template: it has no Resources")
    return document


def _where(error: yaml.YAMLError) -> str:
    """`:LINE:COLUMN: what is wrong there`, as compilers say it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f":{mark.line + 1}:{mark.column + 1}: {' '.join((error.problem or 'not YAML').split())}"
    return f": {' '.join(str(error).split())}"


def built_layers(document: Object) -> frozenset[str]:
    """The content folders, as the template writes them, of the layers that `sam build` builds.

    Taken before the translation, which drops the metadata that says so.
    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-layers.html
    """
    found: set[str] = set()
    for logical_id, each in as_object(document.get("Resources"), "Resources").items():
        resource = as_object(each, logical_id)
        if "BuildMethod" in as_object(resource.get("Metadata"), f"{logical_id}: Metadata"):
            properties = as_object(resource.get("Properties"), logical_id)
            found |= {folder for key in ("ContentUri", "Content") if isinstance(folder := properties.get(key), str)}
    return frozenset(found)


def to_cloudformation(document: Object, *, parameters: Mapping[str, Json], region: str = REGION) -> Object:
    """The plain CloudFormation template that a SAM template stands for. Changes `document`."""
    _default_folders(document)
    for section in ("Globals", "Resources"):
        for node in as_object(document.get(section), section).values():
            _mark_folders(node, parameters)
    metrics = Metrics()
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=region), metrics=metrics)
    try:
        translated = translator.translate(document, dict(parameters))
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"the SAM translator refuses the template: {causes}") from None
    finally:
        metrics.publish()  # to nowhere; else it complains when it is collected
    plain = as_object(translated, "the translated template")
    for logical_id, resource in as_object(plain.get("Resources"), "Resources").items():
        kind = as_object(resource, logical_id).get("Type")
        if isinstance(kind, str) and kind.startswith("AWS::Serverless::"):
            # It passes a type that it does not know through untouched.
            raise TemplateError(f"{logical_id}: the installed SAM translator does not know {kind}; it is too old")
    return plain


def local_folder(code: Json) -> str | None:
    """The folder, as the template wrote it, in the `Code` or `Content` of a plain resource."""
    if isinstance(code, str):
        return code
    if isinstance(code, dict) and code.get("S3Bucket") == _BUCKET:
        return unquote(str(code["S3Key"]))
    return None


def _default_folders(document: Object) -> None:
    # A function that says nothing of its code has it beside the template, as for `sam build`.
    shared = as_object(as_object(document.get("Globals"), "Globals").get("Function"), "Globals")
    for logical_id, each in as_object(document.get("Resources"), "Resources").items():
        resource = as_object(each, logical_id)
        if resource.get("Type") == "AWS::Serverless::Function":
            properties = as_object(resource.get("Properties"), f"properties of {logical_id}")
            given = shared.keys() | properties.keys()
            image = "Image" in (properties.get("PackageType"), shared.get("PackageType"))
            if not image and not given & {"CodeUri", "InlineCode", "ImageUri"}:
                resource["Properties"] = {**properties, "CodeUri": "."}


def _mark_folders(node: Json, parameters: Mapping[str, Json]) -> None:
    if not isinstance(node, dict):
        return
    properties = node.get("Properties", node)
    if not isinstance(properties, dict):
        return
    for key in ("CodeUri", "ContentUri"):
        folder = properties.get(key)
        if isinstance(folder, dict) and folder.keys() == {"Ref"}:
            folder = parameters.get(str(folder["Ref"]), folder)
        if isinstance(folder, str) and not folder.startswith("s3://"):
            properties[key] = f"s3://{_BUCKET}/{quote(folder, safe='')}"

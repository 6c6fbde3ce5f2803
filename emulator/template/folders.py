"""The local folders of code in a template, on their way through the SAM translator, which takes S3 addresses only."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

from emulator.template.values import Json, Object, as_object

# A local folder becomes the key in a bucket of this name, and comes back from the plain resource, so that no logical id
# has to be followed through the translation.
_BUCKET = "local-folder"


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


def local_folder(code: Json) -> str | None:
    """The folder, as the template wrote it, in the `Code` or `Content` of a plain resource."""
    if isinstance(code, str):
        return code
    if isinstance(code, dict) and code.get("S3Bucket") == _BUCKET:
        return unquote(str(code["S3Key"]))
    return None


def mark_folders(document: Object, parameters: Mapping[str, Json]) -> None:
    """Write every local folder of `document` as an S3 address."""
    _default_folders(document)
    for section in ("Globals", "Resources"):
        for node in as_object(document.get(section), section).values():
            _mark_folders(node, parameters)


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

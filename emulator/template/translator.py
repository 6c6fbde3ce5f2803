"""AWS's own SAM translator, kept from asking AWS for anything.

To import it takes a third of a second: see `translation`.
"""

import copy
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
from samtranslator.metrics.metrics import Metrics
from samtranslator.model.exceptions import ExceptionWithMessage, InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from emulator.template.folders import mark_folders
from emulator.template.names import REGION
from emulator.template.values import Json, Object, TemplateError, as_object

# What code of others raises when a template is not as it expects; its own errors have a class of their own.
_FOREIGN = (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)


def to_cloudformation(document: Object, *, parameters: Mapping[str, Json], region: str = REGION) -> Object:
    """The plain CloudFormation template that a SAM template stands for. Raises `TemplateError`."""
    document = copy.deepcopy(document)
    mark_folders(document, parameters)
    _keep_applications_local(document)
    try:
        translated = _translated(copy.deepcopy(document), parameters, region)
    except InvalidDocumentException as error:
        causes = "; ".join(_line(cause.message) for cause in error.causes)
        raise TemplateError(f"the SAM translator refuses the template: {causes}") from None
    except ExceptionWithMessage as error:
        raise TemplateError(f"the SAM translator refuses the template: {_line(error.message)}") from None
    except _FOREIGN as error:
        at = _culprit(document, parameters, region, error)
        raise TemplateError(f"{at}the SAM translator failed: {type(error).__name__}: {_line(str(error))}") from error
    plain = as_object(translated, "the translated template")
    for logical_id, resource in as_object(plain.get("Resources"), "Resources").items():
        kind = as_object(resource, logical_id).get("Type")
        if isinstance(kind, str) and kind.startswith("AWS::Serverless::"):
            # It passes a type that it does not know through untouched.
            raise TemplateError(f"{logical_id}: the installed SAM translator does not know {kind}; it is too old")
    return plain


def _translated(document: Object, parameters: Mapping[str, Json], region: str) -> Json:
    metrics = Metrics()
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=region), metrics=metrics)
    try:
        with _unlogged():
            translated: Json = translator.translate(document, dict(parameters))
    finally:
        metrics.publish()  # to nowhere; else it complains when it is collected
    return translated


@contextmanager
def _unlogged() -> Iterator[None]:
    """The translator logs a traceback of what its plugins raise, and raises it again."""
    logger = logging.getLogger("samtranslator.plugins.sam_plugins")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _culprit(document: Object, parameters: Mapping[str, Json], region: str, failure: Exception) -> str:
    """`LogicalId: ` of the resource that the translator fails with alone in the same way; empty if there is none."""
    for logical_id, resource in as_object(document.get("Resources"), "Resources").items():
        alone = copy.deepcopy({**document, "Resources": {logical_id: resource}})
        try:
            _translated(alone, parameters, region)
        except ExceptionWithMessage:
            continue  # what it refers to is missing
        except _FOREIGN as error:
            if (type(error), str(error)) == (type(failure), str(failure)):
                return f"{logical_id}: "
    return ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _keep_applications_local(document: Object) -> None:
    # The translator looks nested applications up in AWS's repository of them; none runs here, so any address does.
    for logical_id, each in as_object(document.get("Resources"), "Resources").items():
        resource = as_object(each, logical_id)
        if resource.get("Type") == "AWS::Serverless::Application":
            properties = as_object(resource.get("Properties"), f"properties of {logical_id}")
            if isinstance(properties.get("Location"), dict):
                properties["Location"] = "https://example.invalid/application"

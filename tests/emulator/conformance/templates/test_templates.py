"""What a template says becomes what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.target import Target, serving

_CLOUDFORMATION = "https://docs.aws.amazon.com/AWSCloudFormation/latest"
GLOBALS = (
    "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/"
    "sam-specification-template-anatomy-globals.html"
)
SUB = f"{_CLOUDFORMATION}/TemplateReference/intrinsic-function-reference-sub.html"
CONDITIONS = f"{_CLOUDFORMATION}/UserGuide/conditions-section-structure.html"
PSEUDO = f"{_CLOUDFORMATION}/UserGuide/pseudo-parameter-reference.html"
INLINE = f"{_CLOUDFORMATION}/UserGuide/aws-properties-lambda-function-code.html"
LAYERS = "https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"
PYTHON = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html"
STAGES = "https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-stages.html"


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The deployed application, or one in an emulator."""
    with serving("templates") as found:
        yield found


def seen(target: Target, *modules: str) -> dict[str, Any]:
    """What the function tells of its variables and of these modules."""
    payload = json.dumps({"modules": modules})
    answer = target.functions().invoke(FunctionName="conformance-seen", Payload=payload)
    found: dict[str, Any] = json.load(answer["Payload"])
    return found


def answered(address: str, frame: str) -> str:
    """The first frame that comes back for one sent."""
    with connect(address) as socket:
        socket.send(frame)
        return str(socket.recv(timeout=30))


@fact("T1", GLOBALS)
def test_globals_and_own_variables(target: Target) -> None:
    """Environment variables of Globals and of the function are merged; the function's own win."""
    variables = seen(target)["variables"]
    assert (variables["SHARED"], variables["OWN"], variables["BOTH"]) == ("of all", "of its own", "of its own")


@fact("T2", SUB)
def test_sub(target: Target) -> None:
    """Fn::Sub takes variables of its map and of the template; `${!Name}` stays as `${Name}`."""
    assert seen(target)["variables"]["SUBSTITUTED"] == "b-no-${Literal}"


@fact("T3", PSEUDO)
def test_no_value(target: Target) -> None:
    """AWS::NoValue removes the property that has it."""
    variables = seen(target)["variables"]
    assert variables["CHOSEN"] == "none+no"
    assert "REMOVED" not in variables


@fact("T4", CONDITIONS)
def test_a_false_condition(target: Target) -> None:
    """A resource whose condition is false is not created: frames for such a route go to $default."""
    assert answered(target.websocket, '{"action": "extra"}') == "conformance-seen"


@fact("T5", STAGES)
def test_stage_variables(target: Target) -> None:
    """A stage variable in the integration's address chooses another function for each stage."""
    second = target.websocket.removesuffix(target.stage) + "second"
    assert answered(target.websocket, "hello") == "conformance-seen"
    assert answered(second, "hello") == "conformance-other"


@fact("T6", INLINE)
def test_inline_code(target: Target) -> None:
    """Code that stands in the template is a module named index."""
    answer = target.functions().invoke(FunctionName="conformance-inline", Payload=b"{}")
    assert json.load(answer["Payload"]) == "index"


@fact("T7", LAYERS)
def test_layer_folders(target: Target) -> None:
    """Modules in a layer's python/ and python/lib/python3.x/site-packages can be imported."""
    imported = seen(target, "conformance_layer", "conformance_deep")["imported"]
    assert imported == {"conformance_layer": "layer", "conformance_deep": "deep"}


@fact("T8", PYTHON)
def test_the_runtime_brings_the_sdk(target: Target) -> None:
    """boto3 and botocore are there without being packaged."""
    assert seen(target, "boto3", "botocore")["imported"] == {"boto3": "None", "botocore": "None"}

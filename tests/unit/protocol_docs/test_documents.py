"""The generated documents: they are up to date, and what they hold is sound."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, TypeAdapter

from dayfly.errors import ErrorCode
from dayfly.protocol import events, frames, limits, replies, signals
from dayfly.protocol.events import TERMINAL_TYPES, EventType, decode_event
from dayfly.protocol.parse import parse_frame
from scripts.protocol_docs import __main__ as command
from scripts.protocol_docs import examples, page, sizes
from scripts.protocol_docs.asyncapi import asyncapi_document
from scripts.protocol_docs.catalog import CLIENT_FRAMES, PAYLOADS, REPLIES, SIGNALS, code_facts
from scripts.protocol_docs.docstrings import field_texts
from scripts.protocol_docs.documents import documents
from scripts.protocol_docs.page import protocol_page
from scripts.protocol_docs.schemas import all_references, component_schemas

ROOT = Path(__file__).parents[3]
DOCUMENT = asyncapi_document()
PAGE = protocol_page()
SCHEMAS = component_schemas()
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
OPERATIONS: dict[str, Any] = DOCUMENT["operations"]
ASKED = tuple(map(examples.of_frame, CLIENT_FRAMES))
ANSWERED = tuple(map(examples.of_reply, REPLIES))
LOGGED = tuple(map(examples.of_event, PAYLOADS))
FRAMES = (
    *ASKED,
    *ANSWERED,
    *examples.SIGNALS,
    *LOGGED,
    *examples.CONVERSATION,
    *examples.APPROVAL_CONVERSATION,
)
INNER = (replies.AttachedRun, replies.ThreadItem, replies.HistoryMessage, events.Usage, events.Event)


def validator(schema: str) -> Draft7Validator:
    """A validator of one component schema, which may refer to the others."""
    return Draft7Validator({"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]})


def matching(frame: Any, names: list[str]) -> list[str]:
    """Which of these messages' schemas the frame keeps."""
    return [name for name in names if validator(MESSAGES[name]["name"]).is_valid(frame)]


def resolved(reference: str) -> Any:
    """What a reference within the document points to. Raises `KeyError`."""
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


@pytest.mark.parametrize("name", list(documents()))
def test_documents_are_up_to_date(name: str) -> None:
    """What `make docs` would write is what stands in docs/ and events/."""
    assert (ROOT / name).read_text(encoding="utf-8") == documents()[name], "run `make docs`"


def test_command_writes_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes every document into the directory that it is given, and names them."""
    assert command.main(str(tmp_path)) == 0
    written = {str(file.relative_to(tmp_path)): file for file in tmp_path.rglob("*") if file.is_file()}
    assert {name: file.read_text(encoding="utf-8") for name, file in written.items()} == documents()
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / name) for name in documents()]


@pytest.mark.parametrize("name", list(MESSAGES))
def test_message_example_keeps_its_schema(name: str) -> None:
    """Each message's example is valid by the message's own JSON Schema, and by no other message of its side."""
    sides = {key: operation for key, operation in OPERATIONS.items() if operation["action"] == "send"}
    sent = [reference["$ref"].rpartition("/")[2] for side in sides.values() for reference in side["messages"]]
    sent += [key for key in MESSAGES if key.endswith("_reply")]
    mine = sent if name in sent else [key for key in MESSAGES if key not in sent]
    (example,) = MESSAGES[name]["examples"]
    validator(MESSAGES[name]["name"]).validate(example["payload"])
    assert matching(example["payload"], mine) == [name]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_example_is_read_back_by_the_models(frame: Any) -> None:
    """Each example, encoded as on the wire, is read back to the same model."""
    text = examples.encoded(frame)
    match frame:
        case frames.ClientFrame():
            again: object = parse_frame(text)
        case events.Event():
            again = decode_event(text)
        case signals.AgentHeartbeat() | signals.ThreadChanged():
            again = TypeAdapter[signals.Signal](signals.AnySignal).validate_json(text)
        case _:
            again = TypeAdapter[replies.Reply](replies.AnyReply).validate_json(text)
    assert again == frame


def test_examples_stand_on_the_page() -> None:
    """Every JSON block of the page is JSON and is one of the examples."""
    blocks = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    shown = [json.loads(block) for block in blocks]
    assert shown == [json.loads(examples.encoded(frame)) for frame in (*ASKED, *ANSWERED, *LOGGED, *examples.SIGNALS)]


@pytest.mark.parametrize("run", [examples.RUN_EVENTS, examples.APPROVAL_EVENTS], ids=["plain", "approval"])
def test_example_run_keeps_the_order_of_a_run(run: tuple[events.Event, ...]) -> None:
    """The page's runs have seqs from 1 without gaps, start with the user's message, and end with their one ending."""
    assert [event.seq for event in run] == list(range(1, len(run) + 1))
    assert run[0].type is EventType.USER_MESSAGE
    assert [event.type in TERMINAL_TYPES for event in run] == [False] * (len(run) - 1) + [True]
    assert [event.timestamp for event in run] == sorted(event.timestamp for event in run)


def test_example_conversations_stand_on_the_page() -> None:
    """What the page shows of two runs is what crosses the wire in them, each frame with its direction."""
    blocks = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    shown = [[json.loads(line[2:]) for line in block.splitlines()] for block in blocks]
    conversations = (examples.CONVERSATION, examples.APPROVAL_CONVERSATION)
    assert shown == [[json.loads(examples.encoded(frame)) for frame in frames] for frames in conversations]
    for block in blocks:
        assert all(line.startswith("→ " if '"action":' in line else "← ") for line in block.splitlines())


def test_schemas_are_legal() -> None:
    """Every component schema is a JSON Schema of draft 07."""
    for schema in SCHEMAS.values():
        Draft7Validator.check_schema(schema)


def test_references_resolve() -> None:
    """Every reference of the AsyncAPI document points to something in it, and every component is referred to."""
    references = set(all_references(DOCUMENT))
    for reference in references:
        assert resolved(reference) is not None
    for kind, components in DOCUMENT["components"].items():
        assert {f"#/components/{kind}/{name}" for name in components} <= references


def test_document_has_the_parts_that_asyncapi_names() -> None:
    """Version, parts, keys and actions are those of AsyncAPI 3.0."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    parts = {"asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"}
    assert set(DOCUMENT) == parts
    for server in DOCUMENT["servers"].values():
        assert {"host", "protocol"} <= set(server)
        assert set(re.findall(r"\{(\w+)\}", server["host"])) == set(server.get("variables", {}))
    keyed = (DOCUMENT["channels"], OPERATIONS, *DOCUMENT["components"].values())
    assert all(re.fullmatch(r"[\w.-]+", key) for part in keyed for key in part)
    assert {operation["action"] for operation in OPERATIONS.values()} == {"send", "receive"}


def test_operations_use_messages_of_their_channel() -> None:
    """An operation and its reply name messages of the channel, as AsyncAPI demands, and together they name all."""
    channel = {f"#/channels/chat/messages/{name}" for name in DOCUMENT["channels"]["chat"]["messages"]}
    named = set()
    for operation in OPERATIONS.values():
        assert operation["channel"] == {"$ref": "#/channels/chat"}
        for part in (operation, operation.get("reply", {"messages": []})):
            named |= {reference["$ref"] for reference in part["messages"]}
    assert named == channel


def test_each_event_type_has_its_own_message_and_payload() -> None:
    """The events' operation names one message a type; its schema fixes the type and the payload's schema."""
    names = [reference["$ref"].rpartition("/")[2] for reference in OPERATIONS["events"]["messages"]]
    assert names == list(EventType)
    payloads = set()
    for name in names:
        envelope = resolved(MESSAGES[name]["payload"]["$ref"])
        assert envelope["properties"]["type"]["const"] == name
        payloads |= set(all_references(envelope["properties"]["payload"]))
    assert payloads == {f"#/components/schemas/{payload.__name__}" for payload in PAYLOADS}


@pytest.mark.parametrize("frame", CLIENT_FRAMES, ids=lambda frame: frame.__name__)
def test_client_schemas_are_closed(frame: type[frames.ClientFrame]) -> None:
    """A client's frame with a field too many, or without its id, breaks its schema."""
    example = dict(frame.example)
    assert not validator(frame.__name__).is_valid({**example, "more": 1})
    assert not validator(frame.__name__).is_valid({key: value for key, value in example.items() if key != "id"})


@pytest.mark.parametrize("frame", CLIENT_FRAMES, ids=lambda frame: frame.__name__)
def test_client_schemas_allow_null_for_what_may_be_left_out(frame: type[frames.ClientFrame]) -> None:
    """Each optional field may be null, as the page says, and no other field may."""
    example = dict(frame.example)
    for name, field in frame.model_fields.items():
        assert validator(frame.__name__).is_valid({**example, name: None}) is not field.is_required()


@pytest.mark.parametrize("model", [*REPLIES, *SIGNALS, *PAYLOADS], ids=lambda model: model.__name__)
def test_server_schemas_are_open(model: type[BaseModel]) -> None:
    """What the server sends may grow fields, and never holds null where a model has an optional field."""
    schema = SCHEMAS[model.__name__]
    assert "additionalProperties" not in schema
    assert {"type": "null"} not in [part for inner in schema["properties"].values() for part in inner.get("anyOf", [])]
    optional = {name for name, field in model.model_fields.items() if not field.is_required() and field.default is None}
    assert set(schema["properties"]) - set(schema["required"]) == optional


@pytest.mark.parametrize("model", [*REPLIES, *SIGNALS, *PAYLOADS, *INNER[:-1]], ids=lambda model: model.__name__)
def test_server_schemas_name_defaults(model: type[BaseModel]) -> None:
    """What a model has as a default, its constant type aside, its schema names for servers without the field."""
    fields = model.model_json_schema()["properties"]
    defaults = {name: field["default"] for name, field in fields.items() if field.get("default") is not None}
    defaults.pop("type", None)
    shown = SCHEMAS[model.__name__]["properties"]
    assert {name: field["default"] for name, field in shown.items() if "default" in field} == defaults


def test_keys_of_after_are_ids() -> None:
    """`after` with a key that is no id breaks the schema, as it is refused by the parser."""
    frame = {"action": "attach", "id": "a", "thread_id": "t-1", "after": {"no id": 1}}
    assert not validator("Attach").is_valid(frame)


@pytest.mark.parametrize(
    "model", [*CLIENT_FRAMES, *REPLIES, *SIGNALS, *PAYLOADS, *INNER], ids=lambda model: model.__name__
)
def test_fields_are_explained(model: type[BaseModel]) -> None:
    """Every field of every model has a docstring, the constant `action` and `type` of frames aside."""
    constant = set() if model is events.Event else {"action", "type"}
    assert set(model.model_fields) - set(field_texts(model)) <= constant


def test_codes_are_explained() -> None:
    """Every code of the closed list stands in a table, in that of requests or that of runs."""
    assert [facts.code for facts in code_facts()] == list(ErrorCode)
    assert all(facts.answers_request != facts.ends_run for facts in code_facts())
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (?:yes|no) \|$", PAGE.partition("## Error codes")[2], re.MULTILINE)
    assert sorted(rows) == sorted(ErrorCode)


def test_limits_are_named() -> None:
    """Every constant of the protocol's limits is used by the page."""
    sources = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (page, sizes))
    used = set(re.findall(r"\blimits\.([A-Z_]+)\b", sources))
    assert {name for name in vars(limits) if name.isupper()} <= used


def test_links_lead_somewhere() -> None:
    """Every link within the page has its heading."""
    text = PAGE
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors

"""Results with files: what the model, the journal, the history and the client are given of them."""

import json
from typing import Any

import pytest
from pydantic_ai.messages import BinaryContent, ToolReturnPart

from dayfly.agents.pydantic.requests.conversation import from_model_messages, to_model_messages
from dayfly.agents.pydantic.requests.tool_results import FILES_BYTES, TEXT_BYTES, read_result
from dayfly.agents.sdk.protocol import Answered, ToolEnded
from dayfly.history.chunks import chunks_of, messages_in, unpack_fragments
from dayfly.log.event_payloads import MOST_FILES, URL_BYTES, tool_completed
from dayfly.log.journal import JournalEntry, pack_journal, unpack_journal
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, ToolFile, ToolOutcome, UserSaid
from dayfly.protocol.limits import EVENT_BYTES
from tests.unit.agents.support import agent_of, call, events_of, responses, turn

PNG = bytes(range(256))
CHART = ToolFile("chart.png", "image/png", PNG)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (CHART, "[file chart.png: image/png, 256 bytes]"),
        (["Here it is.", CHART], "Here it is.\n[file chart.png: image/png, 256 bytes]"),
        ((CHART, {"points": 3}), '{"points":3}\n[file chart.png: image/png, 256 bytes]'),
        ([1, CHART, 2], "[1,2]\n[file chart.png: image/png, 256 bytes]"),
    ],
)
def test_a_file_alone_or_among_other_values(result: Any, text: str) -> None:
    """The text names it; the others are as without it."""
    assert read_result(result) == (text, (CHART,))


def test_a_file_that_is_stored_is_a_reference() -> None:
    """Its URL is told; nothing is fetched."""
    stored = ToolFile("report.pdf", "application/pdf", url="s3://bucket/report.pdf", size=12)
    assert read_result(stored) == ("[file report.pdf: application/pdf, 12 bytes, s3://bucket/report.pdf]", (stored,))


def test_a_file_of_text_is_read_to_the_model() -> None:
    """As part of the result, up to a bound; its bytes are not kept."""
    text, files = read_result(ToolFile("a.csv", "text/csv", b"a,b\n1,2"))
    assert text == "[file a.csv: text/csv, 7 bytes]\na,b\n1,2"
    assert files == (ToolFile("a.csv", "text/csv", size=7),)
    whole, _ = read_result(ToolFile("a.csv", "text/csv", b"x" * TEXT_BYTES))
    assert whole.endswith("x" * TEXT_BYTES)
    cut, _ = read_result(ToolFile("a.csv", "text/csv", b"x" * (TEXT_BYTES + 1)))
    assert cut.endswith("x\n[the rest is left out]")


def test_what_no_model_looks_at_is_named_only() -> None:
    """And the model is told so."""
    text, files = read_result(ToolFile("a.zip", "application/zip", b"PK"))
    assert text == "[file a.zip: application/zip, 2 bytes; its content can not be shown to you]"
    assert files[0].data == b""


def test_images_are_kept_up_to_a_bound() -> None:
    """All of a result's together; one that does not fit is named, and the model told."""
    half = ToolFile("a.png", "image/png", bytes(FILES_BYTES // 2))
    text, files = read_result([half, half])
    assert [len(file.data) for file in files] == [FILES_BYTES // 2] * 2
    text, files = read_result([half, half, ToolFile("b.png", "image/png", b"x")])
    assert [len(file.data) for file in files] == [FILES_BYTES // 2, FILES_BYTES // 2, 0]
    assert text.endswith("[file b.png: image/png, 1 bytes; too large to be shown to you]")


def test_as_many_files_as_an_event_names() -> None:
    """One more is the tool's error."""
    assert len(read_result([CHART] * MOST_FILES)[1]) == MOST_FILES
    with pytest.raises(TypeError, match="5 files"):
        read_result([CHART] * (MOST_FILES + 1))


@pytest.mark.parametrize(
    "file",
    [
        ToolFile("", "image/png", PNG),
        ToolFile("x" * 129, "image/png", PNG),
        ToolFile("../chart.png", "image/png", PNG),
        ToolFile("a\nb", "image/png", PNG),
        ToolFile("chart.png", "png", PNG),
        ToolFile("chart.png", "image/", PNG),
        ToolFile("chart.png", "image/png"),
        ToolFile("chart.png", "image/png", url="javascript:alert(1)"),
        ToolFile("chart.png", "image/png", url="https://a b"),
        ToolFile("chart.png", "image/png", PNG, size=-1),
        ToolFile("chart.png", "image/png", "text"),  # type: ignore[arg-type]
        ToolFile(5, "image/png", PNG),  # type: ignore[arg-type]
    ],
)
def test_a_file_that_is_described_wrongly_is_refused(file: ToolFile) -> None:
    """It is an error of the tool; the log says what is wrong."""
    with pytest.raises(TypeError, match="ToolFile"):
        read_result(file)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("image/jpg", "image/jpeg"), ("IMAGE/PNG", "image/png"), ("image/webp; q=1", "image/webp")],
)
def test_media_types_as_people_write_them(given: str, kept: str) -> None:
    """They are those that models know."""
    (file,) = read_result(ToolFile("a", given, PNG))[1]
    assert (file.media_type, file.data) == (kept, PNG)


def test_the_librarys_own_file_is_one() -> None:
    """Under its identifier."""
    (file,) = read_result(BinaryContent(PNG, media_type="image/png", identifier="chart"))[1]
    assert file == ToolFile("chart.png", "image/png", PNG)


async def test_a_tool_returns_a_chart() -> None:
    """It ends with the file; the model goes on, and is given its bytes."""
    given: list[Any] = []

    def draw() -> ToolFile:
        """Draws."""
        return CHART

    async def script(messages: Any, info: Any) -> Any:
        if len(messages) == 1:
            yield call("draw")
        else:
            given.extend(messages[-1].parts)
            yield "Done."

    events = await events_of(agent_of(script, draw))
    ended = next(event.answer for event in events if isinstance(event, ToolEnded))
    assert ended == ToolAnswered("c-1", "draw", "[file chart.png: image/png, 256 bytes]", files=(CHART,))
    assert [file.data for part in given for file in part.files] == [PNG]
    assert events[-1] == Answered("Done.")


async def test_a_resumed_run_still_has_it() -> None:
    """Its bytes come back from the journal."""
    resumed = (
        AssistantSaid("", (ToolCall("a", "draw", "{}"),)),
        ToolAnswered("a", "draw", "[file chart.png]", files=(CHART,)),
    )
    given: list[Any] = []

    async def script(messages: Any, info: Any) -> Any:
        given.extend(file.data for message in messages for part in message.parts for file in getattr(part, "files", ()))
        yield "Done."

    await events_of(agent_of(script), turn(resumed=resumed))
    assert given == [PNG]


async def test_a_failing_tool_has_no_files(caplog: pytest.LogCaptureFixture) -> None:
    """A wrong one is a failure of the tool."""

    def draw() -> ToolFile:
        """Draws."""
        return ToolFile("chart", "nonsense", PNG)

    events = await events_of(agent_of(responses((call("draw"),), ("Sorry.",)), draw))
    ended = next(event.answer for event in events if isinstance(event, ToolEnded))
    assert ended == ToolAnswered("c-1", "draw", "The tool draw failed unexpectedly.", ToolOutcome.ERROR)
    assert "a media type such as image/png" in caplog.text


def test_the_journal_holds_the_bytes_and_old_ones_load() -> None:
    """An entry that was written before there were files has none."""
    answer = ToolAnswered("a", "draw", "drawn", files=(CHART, ToolFile("b", "text/csv", url="https://b/c", size=3)))
    entry = JournalEntry(completes=3, message=answer)
    assert unpack_journal(pack_journal((entry,))) == (entry,)
    old = json.loads(__import__("zlib").decompress(pack_journal((entry,))))
    del old[0]["message"]["files"]
    read = unpack_journal(__import__("zlib").compress(json.dumps(old).encode()))
    assert read[0].message == ToolAnswered("a", "draw", "drawn")


def test_the_history_holds_no_bytes() -> None:
    """Later turns know of the file by its name, size and URL."""
    file = ToolFile("chart.png", "image/png", PNG, url="https://a/b")
    messages: tuple[Message, ...] = (UserSaid("Draw."), ToolAnswered("a", "draw", "drawn", files=(file,)))
    (chunk,) = chunks_of(messages)
    kept = messages_in(unpack_fragments(chunk.data))[1]
    assert isinstance(kept, ToolAnswered)
    assert kept.files == (ToolFile("chart.png", "image/png", url="https://a/b", size=256),)


def test_the_text_of_a_result_with_a_file_survives_the_library() -> None:
    """There and back, without the bytes."""
    said = AssistantSaid("", (ToolCall("a", "draw", "{}"),))
    there = to_model_messages((said, ToolAnswered("a", "draw", "drawn", files=(CHART,))))
    part = there[1].parts[0]
    assert isinstance(part, ToolReturnPart)
    assert [file.data for file in part.files if isinstance(file, BinaryContent)] == [PNG]
    assert from_model_messages(there)[1] == ToolAnswered("a", "draw", "drawn")


def test_the_event_has_references_only() -> None:
    """Name, type, size, and a URL that is not too long; never a byte of it."""
    long = "https://a/" + "b" * (URL_BYTES - 12)
    files = (ToolFile("a", "image/png", PNG, url=long), ToolFile("b", "image/png", url=f"{long}b"))
    payload = tool_completed(ToolAnswered("c", "draw", "drawn", files=files), took_ms=1)
    assert json.loads(payload.model_dump_json(exclude_none=True))["files"] == [
        {"name": "a", "media_type": "image/png", "bytes": 256, "url": long},
        {"name": "b", "media_type": "image/png"},
    ]
    assert "files" not in json.loads(
        tool_completed(ToolAnswered("c", "x", ""), took_ms=1).model_dump_json(exclude_none=True)
    )


def test_files_at_their_longest_fit_an_event() -> None:
    """Beside a result that is as long as it may be."""
    file = ToolFile("\U0001f600" * 128, f"image/{'x' * 100}", url="https://a/" + "b" * (URL_BYTES - 12), size=10**15)
    file.check()
    payload = tool_completed(ToolAnswered("c" * 256, "n" * 300, "x" * 20_000, files=(file,) * 4), took_ms=10**12)
    assert len(payload.model_dump_json().encode()) < EVENT_BYTES - 1024

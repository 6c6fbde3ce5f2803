"""Reading the bytes of a streamed chat completion."""

import itertools
import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from dayfly.agents.models.openai_events import ChatBody

BODY = "".join(
    f"{line}\r\n"
    for line in (
        ": keep-alive",
        "event: message",
        'data: {"id": "x", "created": 1, "choices": [{"delta": {"content": "a\\ud83d"}}]}',
        "",
        'data:{"choices": [{"delta": {"content": "\\ude00 ü"}}]}',
        'data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f"}}]}}]}',
        'data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}]}',
        'data: {"choices": [{"delta": null, "finish_reason": "tool_calls"}],',
        'data:  "usage": {"prompt_tokens": 3, "completion_tokens": 1}}',
        "",
        "data: [DONE]",
        "",
    )
).encode()


def read(pieces: Iterable[bytes]) -> bytes:
    body = ChatBody()
    return b"".join((*(event for piece in pieces for event in body.feed(piece)), *body.end()))


def test_every_body_ends_as_openai_ends_it() -> None:
    """Text first, as it came; then whole calls, the ending, the usage and `[DONE]`."""
    *events, done = read((BODY,)).decode().strip().split("\n\n")
    assert done == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert [delta.get("content") for delta in deltas] == ["a\ud83d", "\ude00 ü", None, None, None]
    assert deltas[3]["tool_calls"] == [{"index": 0, "id": "c1", "type": "function", "function": {"arguments": "{}"}}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]] == [None] * 4 + ["tool_calls"]
    assert chunks[-1]["usage"] == {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}


@given(cuts=st.sets(st.integers(1, len(BODY) - 1)))
def test_how_a_body_is_cut_makes_no_difference(cuts: set[int]) -> None:
    """The same events come of it, wherever the network cuts it: in a character, in a line's end, in an event."""
    places = [0, *sorted(cuts), len(BODY)]
    pieces = [BODY[one:other] for one, other in itertools.pairwise(places)]
    assert read(pieces) == read((BODY,))


@given(data=st.binary(max_size=60), behind=st.booleans())
def test_no_bytes_break_the_reader(data: bytes, *, behind: bool) -> None:
    """Whatever comes, a body that ends as documented is made of it."""
    assert read((BODY[:60], data) if behind else (data,)).endswith(b"data: [DONE]\n\n")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("choices", "delta", "message", "content", "tool_calls", "function", "arguments", "name", "id", "index",
                 "usage", "prompt_tokens", "error", "finish_reason", "refusal", "reasoning", "text", "type", "created")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(values=st.lists(VALUES, max_size=4))
def test_no_json_breaks_the_reader(values: list[object]) -> None:
    """Whatever a server puts in the place of a member."""
    events = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)
    assert read((events,)).endswith(b"data: [DONE]\n\n")


@given(delta=VALUES, finish=VALUES, usage=VALUES)
def test_no_choice_breaks_the_reader(delta: object, finish: object, usage: object) -> None:
    """The same for what is in a choice."""
    chunk = {"choices": [{"delta": delta, "finish_reason": finish}], "usage": usage}
    assert read((b"data: " + json.dumps(chunk).encode(),)).endswith(b"data: [DONE]\n\n")

"""How answers end, and what models reason, from the model's server to a client."""

from pathlib import Path

import pytest

from tests.contract import bedrock_wire, openai_wire
from tests.contract.openai_wire import DONE, chunk
from tests.contract.scripted_model import Streamed
from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.modelled import BEDROCK, OPENAI, Modelled, modelled
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, whole

SAID = "The answer is thirty-"
EMOJI = Streamed(
    openai_wire.CONTENT_TYPE,
    (
        b'data: {"choices": [{"delta": {"content": "a\\ud83d"}}]}\n\n',
        b'data: {"choices": [{"delta": {"content": "\\ude00b"}, "finish_reason": "stop"}]}\n\n',
        DONE,
    ),
)


def reasoned(events: list[Frame]) -> str:
    """What a client shows as reasoning in the end."""
    held = viewed(events).events.values()
    void = {
        event["seq"]
        for retry in held
        if retry["type"] == "agent_retrying"
        for event in held
        if retry["payload"]["discard_after"] < event["seq"] < retry["seq"]
    }
    pieces = [event for event in events if event["type"] == "agent_reasoning" and event["seq"] not in void]
    return "".join(piece["payload"]["text"] for piece in pieces)


async def answered(models: Modelled, client: Chat, agent: str, answer: Streamed, **fields: object) -> list[Frame]:
    """All events of a run whose model gives this answer."""
    {OPENAI: models.openai, BEDROCK: models.bedrock}.get(agent, models.openai).play(answer)
    return await whole(client, await accepted(client, "Well?", agent=agent, **fields))


@pytest.mark.parametrize(
    ("agent", "answer", "finish"),
    [
        *((OPENAI, openai_wire.says(SAID, finish=raw), finish) for raw, finish in (
            ("stop", "complete"), ("length", "length"), ("content_filter", "filtered"), ("eos", "complete"),
            ("never_heard_of", "other"),
        )),
        (OPENAI, openai_wire.stream(chunk({"refusal": SAID}), chunk({}, "stop"), DONE), "refused"),
        *((BEDROCK, bedrock_wire.says(SAID, reason=raw), finish) for raw, finish in (
            ("end_turn", "complete"), ("max_tokens", "length"), ("guardrail_intervened", "filtered"),
            ("content_filtered", "filtered"), ("model_context_window_exceeded", "context_window"),
        )),
    ],
)  # fmt: skip
async def test_how_an_answer_ended(models: Modelled, client: Chat, agent: str, answer: Streamed, finish: str) -> None:
    """`agent_completed` says so, and has all of the text that was streamed."""
    events = await answered(models, client, agent, answer)
    end = events[-1]["payload"]
    assert (events[-1]["type"], end["result"], end["finish"]) == ("agent_completed", SAID, finish)
    assert viewed(events).said() == SAID


@pytest.mark.parametrize(("agent", "wire"), [(OPENAI, openai_wire), (BEDROCK, bedrock_wire)], ids=[OPENAI, BEDROCK])
async def test_a_cut_answer_is_continued(models: Modelled, client: Chat, agent: str, wire: object) -> None:
    """By a further message of the thread, whose request holds what the model had said."""
    del wire
    cut = openai_wire.says(SAID, finish="length") if agent == OPENAI else bedrock_wire.says(SAID, reason="max_tokens")
    server = models.openai if agent == OPENAI else models.bedrock
    events = await answered(models, client, agent, cut)
    assert events[-1]["payload"]["finish"] == "length"
    rest = openai_wire.says("eight.") if agent == OPENAI else bedrock_wire.says("eight.")
    server.play(rest)
    following = await accepted(client, "Go on.", agent=agent, thread_id=events[0]["thread_id"])
    end = (await whole(client, following))[-1]["payload"]
    assert (end["result"], end["finish"]) == ("eight.", "complete")
    body = server.requests[0].body.decode()
    assert body.index(SAID) < body.index("Go on.")


TAGGED = ("<thi", "nk>a pl", "an</thi", "nk>\n\nHel", "lo")


@pytest.mark.parametrize(
    ("agent", "answer"),
    [
        (OPENAI, openai_wire.says(*TAGGED)),
        (OPENAI, openai_wire.stream(chunk({"reasoning_content": "a plan"}), chunk({"content": "Hello"}, "stop"), DONE)),
        (OPENAI, openai_wire.says("a plan", "</think>\n\nHello")),
        (BEDROCK, bedrock_wire.says(*TAGGED)),
        (
            BEDROCK,
            bedrock_wire.stream(
                bedrock_wire.START,
                bedrock_wire.delta({"reasoningContent": {"text": "a plan"}}),
                bedrock_wire.stop_block(),
                *bedrock_wire.text("Hello", block=1),
                bedrock_wire.stop("end_turn"),
            ),
        ),
    ],
    ids=["tags", "reasoning_content", "an end alone", "Bedrock's tags", "Bedrock's reasoning"],
)
async def test_reasoning_is_shown_as_what_it_is(models: Modelled, client: Chat, agent: str, answer: Streamed) -> None:
    """As events of its own; it is no part of the answer, of the history, or of the next request."""
    events = await answered(models, client, agent, answer)
    end = events[-1]["payload"]
    assert (end["result"], viewed(events).said(), reasoned(events)) == ("Hello", "Hello", "a plan")
    history = await client.ask("history", thread_id=events[0]["thread_id"])
    assert "a plan" not in str(history)
    again = bedrock_wire.says("Yes.") if agent == BEDROCK else openai_wire.says("Yes.")
    await answered(models, client, agent, again, thread_id=events[0]["thread_id"])
    server = models.bedrock if agent == BEDROCK else models.openai
    assert "Hello" in server.requests[0].body.decode()
    if answer != openai_wire.stream(chunk({"reasoning_content": "a plan"}), chunk({"content": "Hello"}, "stop"), DONE):
        assert "<think" not in server.requests[0].body.decode()


REASONS_TWICE = openai_wire.stream(
    chunk({"reasoning_content": "one plan"}), chunk({"content": "<think>other plan</think>Hello"}, "stop"), DONE
)


async def test_an_agent_leaves_reasoning_out(models: Modelled, client: Chat) -> None:
    """With `show_reasoning=False`: there is the answer, and nothing else of the model's."""
    events = await answered(models, client, "quiet", REASONS_TWICE)
    assert events[-1]["payload"]["result"] == "Hello"
    assert "plan" not in str(events)


async def test_a_deployment_leaves_reasoning_out(tmp_path: Path, user: str) -> None:
    """With `ShowReasoning=off`, whatever its agents say."""
    with modelled(tmp_path, "ShowReasoning=off") as models:
        async with models.chat(user) as client:
            events = await answered(models, client, OPENAI, REASONS_TWICE)
    assert events[-1]["payload"]["result"] == "Hello"
    assert "plan" not in str(events)


async def test_a_character_cut_in_two(models: Modelled, client: Chat) -> None:
    """Is whole in the pieces as in the answer."""
    events = await answered(models, client, OPENAI, EMOJI)
    assert (viewed(events).said(), events[-1]["payload"]["result"]) == ("a😀b", "a😀b")

"""What tools and agents read of secrets and settings, and what is kept out of what they say."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.event_redaction import EventRedaction
from dayfly.agents.sdk import (
    AgentDefinition,
    Answered,
    Asked,
    AssistantSaid,
    Delta,
    OpenCall,
    ProviderState,
    ReasoningDelta,
    Responded,
    SecretMissing,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolContext,
    ToolEnded,
    ToolError,
    ToolFunction,
    ToolProgress,
    ToolStarted,
    Turn,
)
from dayfly.agents.sdk.protocol import AgentEvent
from dayfly.agents.sdk.testing import ask
from dayfly.agents.secrets import FixedSecrets, RunSecrets
from dayfly.errors import ConfigurationError
from dayfly.log.messages import ToolOutcome
from dayfly.log.secret_values import SecretValues
from tests.unit.agents.support import turn

KEY = "sk_live_51Habc"
SECRETS = {"STRIPE_KEY": KEY}


async def charge(context: ToolContext) -> str:
    """Charges the card."""
    await asyncio.sleep(0)
    return f"{await context.setting('SHOP')}: {await context.secret('STRIPE_KEY')}"


def bill(context: ToolContext) -> str:
    """Bills the card."""
    return f"{context.setting_sync('SHOP')}: {context.secret_sync('STRIPE_KEY')}"


@pytest.mark.parametrize("tool", [charge, bill])
async def test_tools_read_secrets_and_settings(tool: ToolFunction) -> None:
    """An async tool awaits them, a plain one calls for them; the result holds the setting and no secret."""
    agent = AgentDefinition(instructions="Sell.", tools=(tool,))
    transcript = await ask(agent, tool.__name__, secrets=SECRETS, settings={"SHOP": "Kiel"})
    assert [answer.content for answer in transcript.results] == ["Kiel: [redacted]"]
    assert KEY not in repr(transcript)


async def test_a_missing_secret_is_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The developer reads its name and where it was looked for; model and client read that the tool failed."""
    agent = AgentDefinition(instructions="Sell.", tools=(charge,))
    transcript = await ask(agent, "charge", settings={"SHOP": "Kiel"})
    assert [answer.content for answer in transcript.results] == ["The tool charge failed unexpectedly."]
    assert "there is no secret named STRIPE_KEY; looked in" in caplog.text
    assert "STRIPE_KEY" not in repr(transcript)


async def test_an_own_loop_reads_them_of_its_turn() -> None:
    """The turn has what a tool's context has; what the loop says is redacted, also where it comes in pieces."""

    class Own:
        async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
            key = await turn.secret("STRIPE_KEY")
            assert key == KEY
            for piece in ("My key is ", key[:5], key[5:], "."):
                yield Delta(piece)
            yield Answered(f"My key is {key}.")

    transcript = await ask(Own, "Tell me.", secrets=SECRETS)
    assert "".join(event.text for event in transcript.events if isinstance(event, Delta)) == "My key is [redacted]."
    assert transcript.answer == "My key is [redacted]."


@pytest.mark.parametrize("name", ["", "a b", "../other", "/x", "9a", "ä", "a" * 129, 7, None])
async def test_names_are_checked(name: str) -> None:
    """A name that could lead elsewhere, or that no place takes, is the developer's error."""
    with pytest.raises(ConfigurationError, match="a secret has a name of"):
        await turn().secret(name)


@pytest.mark.parametrize("name", ["a", "_a", "A.b-c_9", "a" * 128])
async def test_names_that_are_legal(name: str) -> None:
    """They are looked for."""
    with pytest.raises(SecretMissing, match=name):
        await turn().secret(name)
    with pytest.raises(SecretMissing, match="no setting named"):
        await turn().setting(name)


async def test_the_wrong_spelling_is_told_at_once() -> None:
    """A plain function that would get something to await, and an async one that would block its loop, are told so."""
    for call in (turn().secret_sync, turn().setting_sync):
        with pytest.raises(ConfigurationError, match="an async function awaits"):
            call("STRIPE_KEY")
    for later in (turn().secret, turn().setting):
        with pytest.raises(ConfigurationError, match="a plain function calls"):
            await asyncio.to_thread(later, "STRIPE_KEY")


async def test_reading_blocks_no_loop() -> None:
    """What reads is a thread of its own."""
    seen: list[str] = []

    class Slow(FixedSecrets):
        def secret(self, name: str, *, fresh: bool) -> str | None:
            seen.append(f"{threading.current_thread().name} {fresh}")
            return super().secret(name, fresh=fresh)

    secrets = RunSecrets(Slow(secrets=SECRETS))
    asked = Turn(
        **{name: getattr(turn(), name) for name in ("context", "text", "history", "table", "clock")}, secrets=secrets
    )
    assert await asked.secret("STRIPE_KEY") == KEY
    assert await asked.secret("STRIPE_KEY", fresh=True) == KEY
    assert seen == ["tool-secret False", "tool-secret True"]


async def test_a_refusal_is_redacted_too() -> None:
    """A tool's own words may quote what it was refused with."""

    async def pay(context: ToolContext) -> str:
        """Pays."""
        raise ToolError(f"401 for https://shop.example/?key={await context.secret('STRIPE_KEY')}")

    transcript = await ask(AgentDefinition(instructions="Pay.", tools=(pay,)), "pay", secrets=SECRETS)
    assert transcript.results[0].content == "401 for https://shop.example/?key=[redacted]"


async def test_a_short_secret_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """It is handed out, and the log says by name that it is not looked for."""
    with caplog.at_level(logging.WARNING):
        assert RunSecrets(FixedSecrets(secrets={"PIN": "1234567"})).secret("PIN", fresh=False) == "1234567"
    assert "secret too short to be redacted" in caplog.text
    assert "1234567" not in caplog.text


def test_every_event_is_redacted() -> None:
    """In whatever part of an event a secret stands, it is not in what is emitted; ids and names stay."""
    values = SecretValues()
    values.add(KEY)
    call = ToolCall("c-1", "pay", f'{{"key": "{KEY}"}}')
    state = ProviderState("own", f'{{"seen": "{KEY}"}}')
    events: list[AgentEvent] = [
        Thinking(f"with {KEY}", 1),
        ReasoningDelta(KEY),
        Delta(KEY),
        Responded(AssistantSaid(f"I use {KEY}", (call,), state=state)),
        ToolStarted("pay", "c-1", {"key": KEY, "list": [KEY]}),
        ToolProgress("c-1", f"using {KEY}"),
        ToolEnded(ToolAnswered("c-1", "pay", f"used {KEY}", ToolOutcome.OK), 1),
        Asked((OpenCall("pay", "c-2", {"key": KEY}),)),
        Answered(KEY),
    ]
    redaction = EventRedaction(values)
    shown = [one for event in events for one in redaction.events(event)]
    assert [type(one) for one in shown] == [type(event) for event in events]
    for before, after in zip(events, shown, strict=True):
        assert KEY in repr(before)
        assert repr(after) == repr(before).replace(KEY, "[redacted]")


def test_text_is_held_back_no_longer_than_its_kind_lasts() -> None:
    """The beginning of a secret that goes on as something else is shown, before what follows, as the text it was."""
    values = SecretValues()
    values.add(KEY)
    redaction = EventRedaction(values)
    events = (ReasoningDelta("so sk_"), Delta("an"), Delta(" sk_"), Answered("an sk_"))
    shown = [one for event in events for one in redaction.events(event)]
    assert shown == [
        ReasoningDelta("so "),
        ReasoningDelta("sk_"),
        Delta("an"),
        Delta(" "),
        Delta("sk_"),
        Answered("an sk_"),
    ]

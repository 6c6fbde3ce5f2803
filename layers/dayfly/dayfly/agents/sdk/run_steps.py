"""What a run's log holds of an agent's events, without a log: for trials and tests of agents."""

from collections.abc import Iterable

from dayfly.agents.sdk.protocol import AgentEvent, Delta, Responded, Retrying, ToolEnded, ToolStarted
from dayfly.agents.sdk.untold_responses import UntoldResponses
from dayfly.log.fold import Began, LogStep, Said, Voided
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import Message


def steps_of(events: Iterable[AgentEvent], *, resumed: Iterable[Message] = (), first: int = 2) -> tuple[LogStep, ...]:
    """The steps that an engine's log has of these events, in their order, from which `fold` makes the run's history and
    `resumption_of` what the next attempt is given.

    Args:
        events: Of one attempt, or of several none of which was cut.
        resumed: What the attempts before have left.
        first: The seq of the first event.
    """
    untold = UntoldResponses(resumed)
    steps: list[LogStep] = []
    completed = first - 1
    for seq, event in enumerate(events, start=first):
        if (response := untold.before(event)) is not None:
            steps.append(JournalEntry(seq - 1, response, told=False))
            completed = seq - 1
        match event:
            case Delta(text):
                steps.append(Said(seq, text))
            case Retrying():
                steps.append(Voided(completed))
            case ToolStarted(tool_call_id=call_id):
                steps.append(Began(seq, call_id))
            case Responded(message=message):
                steps.append(JournalEntry(seq - 1, message))
                completed = seq - 1
            case ToolEnded(answer=answer):
                steps.append(JournalEntry(seq, answer))
                completed = seq
            case _:
                pass
    return tuple(steps)

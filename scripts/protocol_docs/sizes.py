"""The table of limits: numbers from the code, words from here."""

from collections.abc import Iterator
from typing import Final

from dayfly.delivery.audience import MOST_SOCKETS
from dayfly.engine.attempt import MOST_APPROVALS
from dayfly.engine.audience_watcher import LOOK_S
from dayfly.engine.periodic_updates import HEARTBEAT_S
from dayfly.engine.time_budget import RunLimits
from dayfly.history import chunks
from dayfly.log import event_payloads, redaction
from dayfly.protocol import limits
from dayfly.recovery.actions import MOST_RESUMES
from dayfly.router import attach, history, threads
from dayfly.runs import admit, quotas
from dayfly.store.rows import QUEUE_LENGTH
from scripts.protocol_docs.tables import table

SILENCE_S: Final = 15
"""A client's own rule: three heartbeats have not come."""

# API Gateway's own, which no code of ours holds:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
MESSAGE_BYTES: Final = 128 * 1024
IDLE_MINUTES: Final = 10
CONNECTION_HOURS: Final = 2

_KB: Final = 1024


def kilobytes(size: int) -> str:
    """`32 KB (32,768 bytes)`."""
    return f"{size // _KB} KB ({size:,} bytes)" if size >= _KB and size % _KB == 0 else f"{size:,} bytes"


def limits_table() -> str:
    """What is bounded, by how much, and what happens beyond."""
    return table(("What", "Limit", "Beyond it"), _rows())


def _rows() -> Iterator[tuple[str, str, str]]:
    yield "One WebSocket frame that you send", kilobytes(limits.FRAME_BYTES), "closed with 1009"
    yield "One message that you send in several frames", kilobytes(MESSAGE_BYTES), "closed with 1009"
    yield "`run.text` as a JSON string, UTF-8, non-ASCII raw", kilobytes(limits.TEXT_BYTES), "`text_too_long`"
    yield "Objects and arrays of a frame, one in another", f"{limits.JSON_DEPTH} levels", "`invalid_json`"
    yield "`rename.title`", f"{limits.TITLE_CHARS} characters", "`invalid_message`"
    yield "`cursor` and `before`", f"{limits.CURSOR_CHARS} characters", "`invalid_message`"
    yield "Request ids", f"`{limits.REQUEST_ID_PATTERN}`", "`invalid_message`"
    yield "Ids of threads, runs, agents", f"`{limits.ENTITY_ID_PATTERN}`", "`invalid_message`"
    yield "Runs named in `attach.after`", f"{limits.ATTACH_CURSORS}", "`invalid_message`"
    replay = f"{attach.REPLAY_EVENTS} events, {kilobytes(attach.REPLAY_BYTES)}"
    yield "Events replayed by one `attach`", replay, "`more: true`"
    yield "Ended runs that one `attach` sends events of", f"{attach.REPLAY_RUNS}", "`more: true`"
    yield "Runs that wait in one thread", f"{QUEUE_LENGTH}", "`queue_full`"
    yield "Runs of a user under way or waiting at once", f"{quotas.ACTIVE_RUNS}", "`quota_exceeded`"
    per = f"{quotas.WINDOW_RUNS} in a window of {quotas.WINDOW_MS // 1000} s, which opens with the first of them"
    yield "Runs that a user starts", per, "`quota_exceeded` until the window is over"
    kept = f"{admit.REQUEST_KEPT_S // 3600} h"
    yield "How long the `id` of a `run` is remembered", kept, "the `id` is as good as new"
    yield "Tool calls of one response that wait for approval", f"{MOST_APPROVALS}", "`agent_failed`"
    set_by_operator = RunLimits()
    approval = f"{set_by_operator.approval_ms // 60_000} minutes, unless the operator sets another time"
    yield "How long a run waits for approval", approval, "the calls count as denied"
    run = f"{set_by_operator.run_ms // 60_000} minutes, unless the operator sets another time"
    yield "Time that a run takes, waiting not counted", run, "`run_too_long`"
    yield "Times that a run is resumed after its engine was lost", f"{MOST_RESUMES}", "`engine_lost`"
    yield "One event, encoded", kilobytes(limits.EVENT_BYTES), "never sent; split or cut before"
    yield "`parameters` in an event, as JSON", kilobytes(redaction.PARAMETER_BYTES), "long strings cut, then `omitted`"
    yield "`tool_completed.result` as a JSON string", kilobytes(redaction.RESULT_BYTES), "cut, ends in `…`"
    yield "`agent_completed.result` as a JSON string", kilobytes(event_payloads.ANSWER_BYTES), "cut, `truncated: true`"
    sentence = kilobytes(event_payloads.SENTENCE_BYTES)
    yield "`agent_thinking.reasoning` and `agent_error.message` as a JSON string", sentence, "cut, ends in `…`"
    yield "`tool_name` in an event as a JSON string", f"{event_payloads.NAME_BYTES} bytes", "cut, ends in `…`"
    longer = "another id, which ends in a hash of the model's own"
    yield "`tool_call_id`", f"{limits.TOOL_CALL_ID_CHARS} characters", longer
    page = f"{threads.THREADS_PAGE} threads, {kilobytes(threads.THREADS_BYTES)}"
    yield "A page of `threads`", page, "`cursor`"
    page = f"{history.PAGE_MESSAGES} messages, {kilobytes(history.PAGE_BYTES)} of text, {history.PAGE_TURNS} runs"
    yield "A page of `history`", page, "`before`"
    yield "One piece of a message in `history`", kilobytes(chunks.PIECE_BYTES), "`continued: true`"
    yield "A thread's title made from its first message", f"{admit.TITLE_CHARS} characters", "cut"
    yield (
        "Connections that one thread's events, or one user's `thread_changed`, are sent to",
        f"{MOST_SOCKETS}",
        "nothing live; `attach` and `threads` bring what is missed",
    )
    yield "Time between signs of life of a running run", f"{HEARTBEAT_S:g} s", f"attach again after {SILENCE_S} s"
    yield "Time until an engine sees a cancel or a new watcher", f"{LOOK_S:g} s", ""
    yield (
        "A connection without any frame, either way",
        f"{IDLE_MINUTES} minutes",
        "closed with 1001; `ping` keeps it open",
    )
    yield "A connection", f"{CONNECTION_HOURS} hours", "closed with 1001; connect and attach again"

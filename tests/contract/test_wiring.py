"""How the functions' roots wire their parts, each of which may be right, and connected wrongly."""

import asyncio
import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dayfly.aws.calls import Pool
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.aws.functions import wiring
from dayfly.protocol.events import AgentStarted, Event, EventType
from dayfly.recovery.actions import MOST_RESUMES
from dayfly.runs.lease import held_lease
from dayfly.store import keys
from dayfly.store.rows import LeaseRow, LogRow, RunRow
from dayfly.store.table import Put
from dayfly.text import rfc3339
from tests.contract.cloud import Cloud, app, frame_event, sample
from tests.unit.aws.lambda_context import PlayedContext

RUN = {"action": "run", "id": "c1", "text": "What is 2 + 2?"}


def admitted(cloud: Cloud, **fields: str) -> dict[str, Any]:
    """What the engine of a run that was let in is invoked with."""
    app("router").handler(frame_event(json.dumps({**RUN, **fields})), PlayedContext())
    payload: dict[str, Any] = cloud.invocations[-1][1]
    return payload


def notice(name: str, payload: dict[str, Any], **context: str) -> dict[str, Any]:
    """A sample notice, about this invocation of an engine."""
    event = sample(name)
    return {**event, "requestPayload": payload, "requestContext": {**event["requestContext"], **context}}


def test_a_run_whose_event_expired_ends(cloud: Cloud) -> None:
    """An invocation that waited in Lambda's queue until it was too old ends its run with `could_not_start`; the notice
    of one that ran, for the same run, has it invoked again."""
    payload = admitted(cloud)
    recovery = app("recovery").handler
    recovery(notice("on-failure", payload), PlayedContext())
    assert [again for _, again in cloud.invocations] == [payload, payload]
    assert [event["type"] for event in cloud.events()] == ["user_message"]
    recovery(notice("on-failure-expired", payload), PlayedContext())
    assert len(cloud.invocations) == 2
    last = cloud.events()[-1]
    assert (last["type"], last["payload"]["code"]) == ("agent_error", "could_not_start")


@pytest.mark.parametrize(("response", "code"), [("Sandbox.Timedout", "engine_timeout"), ("Killed", "engine_lost")])
def test_a_lost_engine_is_told_by_how_it_was_lost(cloud: Cloud, response: str, code: str) -> None:
    """A run that has no attempt left ends with `engine_timeout` where Lambda's record says so, else `engine_lost`."""
    payload = admitted(cloud)
    asyncio.run(begun_by(payload, "engine-1"))
    lost = notice("on-failure", payload, requestId="engine-1")
    lost["responsePayload"] = {"errorType": response, "errorMessage": "it is over"}
    app("recovery").handler(lost, PlayedContext())
    last = cloud.events()[-1]
    assert (last["type"], last["payload"]["code"]) == ("agent_error", code)


async def begun_by(payload: dict[str, Any], invocation: str) -> None:
    """Leaves the run's rows as an engine does that has begun its last attempt and then died."""
    user, thread, run, first = (payload[name] for name in ("user", "thread_id", "run_id", "first_seq"))
    client = wiring.dynamodb_client()
    with Pool(threads=1) as pool:
        table = DynamoTable(client, os.environ["TABLE_NAME"], pool)
        row = await table.get(keys.run_key(user, thread, run), RunRow)
        lease = await table.get(keys.lease_key(user, run), LeaseRow)
        assert row is not None
        assert lease is not None
        started = Event(
            type=EventType.AGENT_STARTED,
            run_id=run,
            thread_id=thread,
            seq=first,
            timestamp=rfc3339(row.admitted),
            agent_name=row.agent_name,
            payload=AgentStarted(message="It has begun."),
        )
        batch = LogRow(
            user_id=user,
            run_id=run,
            first=first,
            last=first,
            events=(started.encode(),),
            nonce="n-1",
            ordinal=0,
            invocation_id=invocation,
            at=row.admitted,
        )
        held = held_lease(lease, nonce="n-1", now=row.admitted)
        await table.write(Put(replace(row, resumes=MOST_RESUMES)), Put(batch), Put(held))
    client.close()


def test_a_warm_up_that_failed_is_nothing(cloud: Cloud) -> None:
    """The notice of a failed warm-up is read and left."""
    app("recovery").handler(notice("on-failure", {"kind": "warm_up"}), PlayedContext())
    assert (cloud.frames, cloud.invocations) == ({}, [])


Threads = dict[str, set[threading.Thread]]


@contextmanager
def threads_of_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """In which threads the functions' clients make their calls: to the table, to Lambda, posts of events and replies.

    Each pool has one thread here, so that whoever shares a pool shares it; the threads themselves are kept, so that no
    later one is taken for one that has ended.
    """
    seen: Threads = defaultdict(set)
    make_pool: Any = Pool.__init__
    monkeypatch.setitem(make_pool.__kwdefaults__, "threads", 1)

    def kind_of(request: Any) -> str:
        if "/@connections/" not in request.url:
            return "table" if "X-Amz-Target" in request.headers else "lambda"
        return "events" if "seq" in json.loads(request.body) else "replies"

    def watched(make: Callable[[], Any]) -> Callable[[], Any]:
        def made() -> Any:
            client = make()
            client.meta.events.register(
                "before-send", lambda request, **_: seen[kind_of(request)].add(threading.current_thread())
            )
            return client

        return made

    for name in ("dynamodb_client", "lambda_client", "management_client"):
        monkeypatch.setattr(wiring, name, watched(getattr(wiring, name)))
    yield seen


def assert_apart(seen: Threads, *kinds: str) -> None:
    """These kinds of calls were made, those of each in its own thread."""
    assert {kind: len(seen[kind]) for kind in kinds} == dict.fromkeys(kinds, 1)
    assert len(set().union(*(seen[kind] for kind in kinds))) == len(kinds)


def test_the_routers_posts_have_threads_of_their_own(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets that take nothing keep neither the table nor whoever asks waiting: events, replies and the table's calls
    each have a pool."""
    with threads_of_calls(monkeypatch) as seen:
        admitted(cloud)
    assert_apart(seen, "table", "events", "replies")


def test_the_engines_posts_have_threads_of_their_own(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow socket holds back neither the log nor the lease: posts and the table's calls each have a pool."""
    payload = admitted(cloud)
    with threads_of_calls(monkeypatch) as seen:
        assert app("engine").handler(payload, PlayedContext()) == {"outcome": "completed"}
    assert_apart(seen, "table", "events")


def test_recoverys_posts_have_threads_of_their_own(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sockets take nothing, runs are looked after: posts and the table's calls each have a pool."""
    payload = admitted(cloud)
    with threads_of_calls(monkeypatch) as seen:
        app("recovery").handler(notice("on-failure-expired", payload), PlayedContext())
    assert cloud.events()[-1]["type"] == "agent_error"
    assert_apart(seen, "table", "events")

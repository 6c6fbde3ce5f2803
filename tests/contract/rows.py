"""Rows for the contract suite: one of every kind."""

from typing import Final

from dayfly.context.run_ref import RunRef
from dayfly.store.rows import (
    AttachedRow,
    CancelRow,
    ConnectionRow,
    ForgetRow,
    HistoryRow,
    LeaseRow,
    LeaseState,
    LogRow,
    NoteRow,
    PartRow,
    QuotaRow,
    RequestRow,
    RequestState,
    Row,
    RunRow,
    SocketRow,
    ThreadRow,
)

USER: Final = "u-aaaaaaaaaaaaaaaaaaaaaaaaaa"
OTHER: Final = "u-bbbbbbbbbbbbbbbbbbbbbbbbbb"
TEXT: Final = "Grüße, 世界 🚀 \u0000 \"'\\ \n\u2028"


def thread(name: str = "t-1", *, version: int = 1, active_run: str | None = None, user: str = USER) -> ThreadRow:
    return ThreadRow(
        user_id=user,
        thread_id=name,
        title=TEXT,
        version=version,
        created=1,
        updated=2,
        active_run=active_run,
        queue=("a", "b"),
    )


def log(first: int, *, nonce: str = "n", ordinal: int = 0, journal: bytes = b"", text: str = "{}") -> LogRow:
    return LogRow(
        user_id=USER,
        run_id="r-1",
        first=first,
        last=first,
        events=(text,),
        nonce=nonce,
        ordinal=ordinal,
        invocation_id="i",
        at=1_764_000_000_000,
        journal=journal,
    )


def lease(run: str = "r-1", *, due: int = 1000, shard: str = "0", nonce: str = "") -> LeaseRow:
    return LeaseRow(
        ref=RunRef(user_id=USER, tenant_id="o-1", thread_id="t-1", run_id=run),
        lease_shard=shard,
        due=due,
        state=LeaseState.WAITING,
        attempt=1,
        first_seq=2,
        activated=1,
        nonce=nonce,
    )


def forget(thread: str = "t-1", *, due: int = 1000, shard: str = "0") -> ForgetRow:
    return ForgetRow(user_id=USER, thread_id=thread, lease_shard=shard, due=due, at=5)


def note(name: str, text: str = TEXT) -> NoteRow:
    return NoteRow(user_id=USER, note_id=name, text=text, at=1)


def one_of_every_kind() -> tuple[Row, ...]:
    return (
        thread(active_run="r-1"),
        RunRow(
            ref=RunRef(user_id=USER, tenant_id="o-1", thread_id="t-1", run_id="r-1"),
            request_id="q",
            agent_name="assistant",
            text=TEXT,
            turn=1,
            admitted=5,
            pending=("c-1",),
            answers=("{}", TEXT),
            answered=2,
        ),
        log(1, journal=bytes(range(256)), text=TEXT),
        lease(),
        ForgetRow(user_id=USER, thread_id="t-1", lease_shard="0", due=9, at=8),
        AttachedRow(user_id=USER, thread_id="t-1", connection_id="C-_=+/1", attached=1, expires=2),
        CancelRow(user_id=USER, thread_id="t-1", run_id="r-1", at=1, expires=2),
        RequestRow(user_id=USER, request_id="q-1", state=RequestState.CANCELLED, expires=9),
        QuotaRow(user_id=USER, active=(), window_count=-3),
        SocketRow(user_id=USER, connection_id="C=1", connected=1, expires=2),
        ConnectionRow(connection_id="C=1", user_id=USER, tenant_id="o-1", connected=1, expires=2**40),
        HistoryRow(
            user_id=USER,
            thread_id="t-1",
            place=1,
            run_id="r-1",
            nonce="n",
            previous=None,
            at=1,
            shown=(0, 4, 300),
            parts=(1, 1, 2),
            body=b"",
        ),
        PartRow(user_id=USER, owner="LOG#r-1#000000000001#n", part=0, data=b"\x00\xff"),
        note("k"),
    )

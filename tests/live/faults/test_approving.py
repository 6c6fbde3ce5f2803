"""Tools that the user must allow."""

import asyncio

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.steps import accepted, asks, kinds, resumes, settled, whole

JOURNEY = "Buy a ticket to Kiel. Book a hotel in Kiel. Check the weather in Kiel."


async def _asked(client: Chat) -> tuple[Frame, str]:
    """A note that is kept, and a run that asks whether to forget it; the run and the call's id."""
    noted = await accepted(client, "Remember that my boat is red")
    await client.end_of(noted["run_id"])
    run = await accepted(client, "Forget the note about boat")
    question = await asks(client, run)
    call: str = question["payload"]["tool_call_id"]
    return run, call


async def _recalled(client: Chat) -> str:
    run = await accepted(client, "What do you recall about me?")
    result: str = (await client.end_of(run["run_id"]))["payload"]["result"]
    return result


@pytest.mark.parametrize(("approved", "status"), [(True, "ok"), (False, "denied")])
async def test_it_is_answered_from_another_device_after_the_first_is_gone(
    swept: EmulatorProcess, user: str, approved: bool, status: str
) -> None:
    """The question outlives the socket that caused it: another device is shown it, answers, and both see the same."""
    async with Chat(swept.url, user) as phone:
        run, call = await _asked(phone)
    async with Chat(swept.url, user) as laptop:
        attached = await laptop.ask("attach", thread_id=run["thread_id"])
        assert [(one["run_id"], one["status"]) for one in attached["runs"]] == [(run["run_id"], "waiting")]
        await asks(laptop, run)
        reply = await laptop.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=approved)
        assert (reply["type"], reply["run_id"]) == ("approved", run["run_id"])
        events = await whole(laptop, run)
        assert resumes(events) == ["answered"]
        assert [e["payload"]["status"] for e in events if e["type"] == "tool_completed"] == [status]
        assert kinds(events).count("tool_executing") == (1 if approved else 0)
        assert kinds(events).count("approval_requested") == 1
        assert events[-1]["type"] == "agent_completed"
        assert ("red" in await _recalled(laptop)) is not approved
    async with Chat(swept.url, user) as phone_again:
        await phone_again.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        assert phone_again.events(run["run_id"]) == events


async def test_it_survives_the_death_of_every_environment(client: Chat, faults: Control) -> None:
    """While it waits nothing runs: all environments may die, and the answer is carried out all the same."""
    run, call = await _asked(client)
    await faults.inject("kill_environments")
    await client.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=True)
    events = await whole(client, run)
    assert resumes(events) == ["answered"]
    assert "red" not in await _recalled(client)


async def test_an_approved_tool_killed_at_work(client: Chat, faults: Control) -> None:
    """The engine that carries out the answer is killed at once: the answer stands, and nobody is asked again."""
    run, call = await _asked(client)
    await faults.inject("invocation_killed", function=ENGINE, after_s=0.05)
    await client.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=True)
    events = await whole(client, run)
    assert kinds(events).count("approval_requested") == 1
    assert events[-1]["type"] == "agent_completed"
    assert [e["payload"]["status"] for e in events if e["type"] == "tool_completed"] == ["ok"]
    assert "red" not in await _recalled(client)


async def test_a_second_answer_is_late(swept: EmulatorProcess, user: str) -> None:
    """Of a yes and a no from two devices at the same moment one is taken, the other told `approval_closed`, and the
    taken one is what happens; a later answer is told the same."""
    async with Chat(swept.url, user) as phone, Chat(swept.url, user) as laptop:
        run, call = await _asked(phone)
        answers = {True: phone, False: laptop}
        replies = await asyncio.gather(
            *(
                device.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=approved)
                for approved, device in answers.items()
            )
        )
        assert sorted(str(reply.get("code", reply["type"])) for reply in replies) == ["approval_closed", "approved"]
        events = await whole(phone, run)
        taken = replies[0]["type"] == "approved"
        assert [e["payload"]["status"] for e in events if e["type"] == "tool_completed"] == [
            "ok" if taken else "denied"
        ]
        again = await phone.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=taken)
        assert (again["type"], again["code"], again["retryable"]) == ("error", "approval_closed", False)


async def test_two_calls_are_answered_one_by_one(swept: EmulatorProcess, user: str) -> None:
    """Of two calls one device allows the first, another denies the second; the run goes on after the second answer,
    once, and the call that needs no approval has run before."""
    async with Chat(swept.url, user) as phone, Chat(swept.url, user) as laptop:
        run = await accepted(phone, JOURNEY, agent="purchasing")
        await laptop.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        questions = {}
        for device in (phone, laptop):
            await device.until(
                lambda f, device=device: len([e for e in device.frames if e["type"] == "approval_requested"]) >= 2  # type: ignore[misc]
            )
            asked = [event for event in device.events(run["run_id"]) if event["type"] == "approval_requested"]
            questions = {event["payload"]["tool_name"]: event["payload"]["tool_call_id"] for event in asked}
            assert set(questions) == {"buy_ticket", "book_hotel"}
        first = await phone.ask("approve", run_id=run["run_id"], tool_call_id=questions["buy_ticket"], approved=True)
        assert first["type"] == "approved"
        await settled(swept, phone)
        assert phone.events(run["run_id"])[-1]["type"] == "approval_requested"
        await laptop.ask("approve", run_id=run["run_id"], tool_call_id=questions["book_hotel"], approved=False)
        events = await whole(laptop, run)
        assert resumes(events) == ["answered"]
        done = {e["payload"]["tool_name"]: e["payload"]["status"] for e in events if e["type"] == "tool_completed"}
        assert done == {"check_weather": "ok", "buy_ticket": "ok", "book_hotel": "denied"}
        assert kinds(events).count("tool_executing") == 2
        assert await whole(phone, run) == events


async def test_without_an_answer_it_counts_as_denied(tight: EmulatorProcess, user: str) -> None:
    """A question that nobody answers in time is denied by itself; an answer after that is late."""
    async with Chat(tight.url, user) as client:
        run, call = await _asked(client)
        events = await whole(client, run)
        assert resumes(events) == ["expired"]
        assert [e["payload"]["status"] for e in events if e["type"] == "tool_completed"] == ["denied"]
        assert events[-1]["type"] == "agent_completed"
        late = await client.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=True)
        assert late["code"] == "approval_closed"
        assert "red" in await _recalled(client)

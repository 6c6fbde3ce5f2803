"""The example of a loop over boto3 alone, from Bedrock's wire format to a client."""

from tests.contract import bedrock_wire
from tests.live.kit.chat import Chat
from tests.live.kit.modelled import PORT, Modelled
from tests.live.kit.steps import accepted, whole


async def test_a_tool_and_an_answer(models: Modelled, client: Chat) -> None:
    """The tool is carried out, its result is sent to the model, and the thread's next message has both."""
    models.bedrock.play(
        bedrock_wire.calls("ferry", '{"town": "Oslo"}', call_id="call-1"),
        bedrock_wire.says("It is ", "20 minutes late."),
        bedrock_wire.says("You are welcome."),
    )
    run = await accepted(client, "Is the ferry to Oslo late?", agent=PORT)
    events = await whole(client, run)
    (completed,) = [event["payload"] for event in events if event["type"] == "tool_completed"]
    assert completed["result"] == "20 minutes late"
    end = events[-1]["payload"]
    assert (end["result"], end["finish"], end["usage"]["requests"]) == ("It is 20 minutes late.", "complete", 2)
    later = await client.ask("run", agent=PORT, thread_id=events[0]["thread_id"], text="Thank you.")
    await client.end_of(later["run_id"])
    said = str(models.bedrock.bodies[2]["messages"])
    for part in ("Is the ferry to Oslo late?", "call-1", "20 minutes late", "It is 20 minutes late.", "Thank you."):
        assert part in said

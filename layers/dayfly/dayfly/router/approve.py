"""`approve`: the user's answer to a tool call that waits for it."""

from dayfly.log.messages import Decision
from dayfly.protocol.frames import Approve
from dayfly.protocol.replies import Approved
from dayfly.router.request import Request
from dayfly.runs.approval import answer_call


async def approve(request: Request, frame: Approve) -> Approved:
    """Stores the answer; the last one has the run go on. Raises as `answer_call`."""
    decision = Decision(frame.tool_call_id, frame.approved, frame.reason or "")
    user_id = request.caller.user_id
    await answer_call(request.run_writer, user_id=user_id, run_id=frame.run_id, decision=decision)
    return Approved(id=frame.id, run_id=frame.run_id)

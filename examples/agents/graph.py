"""LangGraph behind `Agent`: "When does the library in Kiel open?".

Needs what `graph-requirements.txt` names, in `functions/engine/requirements.txt`. `Librarian` stands for a chat model
and needs no key: put `ChatBedrockConverse`, `ChatOpenAI` or any other of LangChain's into `GraphAgent.model`. The graph
stops before each node, because a `yield` writes down what the next node goes on from: so a tool runs only behind its
`ToolStarted`, and what a lost engine had done is not done again.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    Message,
    Responded,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolOutcome,
    ToolOutcomeUnknown,
    ToolStarted,
    Turn,
    UserSaid,
)

HOURS = {"Kiel": "9:00 to 18:00", "Oslo": "10:00 to 20:00"}


@tool
async def opening_hours(town: str) -> str:
    """Tells when the library of a town is open."""
    if town not in HOURS:
        raise ValueError(f"There is no library in {town}.")
    return HOURS[town]


TOOLS = {one.name: one for one in (opening_hours,)}
MAY_RUN_TWICE = {"opening_hours"}


class Librarian(BaseChatModel):
    """A chat model by rule: it looks up what is asked, and tells what it was told."""

    @property
    def _llm_type(self) -> str:
        return "librarian"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "Librarian":
        """Knows its tool already."""
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._respond(messages))])

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        response = self._respond(messages)
        for word in re.findall(r"\S+\s*", response.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        for call in response.tool_calls:
            piece = tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=0)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece]))

    def _respond(self, messages: Sequence[BaseMessage]) -> AIMessage:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            return AIMessage(last.text if last.status == "error" else f"It is open from {last.text}.")
        asked = re.search(r"library in (\w+)", last.text)
        if asked is None:
            return AIMessage("Which town's library do you mean?")
        call = {"name": "opening_hours", "args": {"town": asked[1]}, "id": f"call-{len(messages)}"}
        return AIMessage("Let me look. ", tool_calls=[call])


class GraphAgent:
    """One agent for one run attempt."""

    model: type[BaseChatModel] = Librarian

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        """Goes from node to node until the graph has come to its end."""
        messages = [_to_langchain(one) for one in (*turn.history, UserSaid(turn.text), *turn.resumed)]
        if any(call["id"] in turn.in_doubt and call["name"] not in MAY_RUN_TWICE for call in _open_calls(messages)):
            raise ToolOutcomeUnknown("An earlier attempt began a tool that may not run twice.")
        graph, config = _graph(self.model()), RunnableConfig(configurable={"thread_id": turn.context.run_id})
        await graph.ainvoke({"messages": messages}, config)  # comes to the first node, and stops before it
        step = sum(isinstance(one, AssistantSaid) for one in turn.resumed)
        while (state := await graph.aget_state(config)).next:
            said = state.values["messages"]
            if state.next == ("tools",):
                for call in _open_calls(said):
                    yield ToolStarted(call["name"], call["id"] or "", call["args"])
                began = turn.clock.monotonic()
                after = await graph.ainvoke(None, config)
                for result in after["messages"][len(said) :]:
                    yield ToolEnded(_result(result), round((turn.clock.monotonic() - began) * 1000))
                continue
            step += 1
            yield Thinking("Looking at the question.", step)
            async with aclosing(graph.astream(None, config, stream_mode="messages")) as pieces:  # type: ignore[type-var]
                async for piece, _ in pieces:
                    if isinstance(piece, AIMessage) and piece.text:
                        yield Delta(piece.text)
            response = (await graph.aget_state(config)).values["messages"][-1]
            used = response.usage_metadata or {}
            yield Responded(_said(response), used.get("input_tokens", 0), used.get("output_tokens", 0))
        yield Answered(state.values["messages"][-1].text)


def _graph(model: BaseChatModel) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Model, tools, model and so on; it begins where the messages have got to."""
    with_tools = model.bind_tools(list(TOOLS.values()))

    async def ask_model(state: MessagesState) -> dict[str, list[Any]]:
        return {"messages": [await with_tools.ainvoke(state["messages"])]}

    async def call_tools(state: MessagesState) -> dict[str, list[Any]]:
        return {"messages": [await _carried_out(call) for call in _open_calls(state["messages"])]}

    def following(state: MessagesState) -> str:
        if _open_calls(state["messages"]):
            return "tools"
        return END if isinstance(state["messages"][-1], AIMessage) else "model"

    graph = StateGraph(MessagesState)
    graph.add_node("model", ask_model)
    graph.add_node("tools", call_tools)
    for place in (START, "model", "tools"):
        graph.add_conditional_edges(place, following, ["model", "tools", END])
    return graph.compile(checkpointer=InMemorySaver(), interrupt_before=["model", "tools"])


async def _carried_out(call: dict[str, Any]) -> ToolMessage:
    status: Literal["success", "error"] = "success"
    try:
        content = await TOOLS[call["name"]].ainvoke(call["args"])
    except (KeyError, ValueError) as error:  # no such tool, or its own words on why it can not
        content, status = str(error), "error"
    return ToolMessage(str(content), tool_call_id=call["id"], name=call["name"], status=status)


def _open_calls(messages: Sequence[BaseMessage]) -> list[Any]:
    answered = {one.tool_call_id for one in messages if isinstance(one, ToolMessage)}
    return [
        call for one in messages if isinstance(one, AIMessage) for call in one.tool_calls if call["id"] not in answered
    ]


def _to_langchain(message: Message) -> BaseMessage:
    match message:
        case UserSaid(text):
            return HumanMessage(text)
        case AssistantSaid(text, calls):
            asked = [
                {"name": call.name, "args": json.loads(call.arguments or "{}"), "id": call.call_id} for call in calls
            ]
            return AIMessage(text, tool_calls=asked)
        case ToolAnswered(call_id, name, content, outcome):
            status: Literal["success", "error"] = "success" if outcome is ToolOutcome.OK else "error"
            return ToolMessage(content, tool_call_id=call_id, name=name, status=status)


def _said(message: AIMessage) -> AssistantSaid:
    calls = (ToolCall(call["id"] or "", call["name"], json.dumps(call["args"])) for call in message.tool_calls)
    return AssistantSaid(message.text, tuple(calls))


def _result(message: ToolMessage) -> ToolAnswered:
    outcome = ToolOutcome.OK if message.status == "success" else ToolOutcome.ERROR
    return ToolAnswered(message.tool_call_id, message.name or "", message.text, outcome)


agent = GraphAgent

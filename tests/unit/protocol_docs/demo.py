"""The demo's own agent in a backend in memory."""

from dayfly.agents.catalogue import Catalogue
from dayfly.agents.models.factory import Models
from functions.engine.agents.assistant import agent
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World


def install_demo(world: World) -> None:
    """Makes `assistant` what it is where nobody has put another one."""
    recipe = Catalogue({"assistant": agent}, models=Models(), model="demo").recipe("assistant")
    world.agents.scripts["assistant"] = lambda turn: recipe().run(turn)


async def says(world: World, text: str) -> str:
    """Sends a message, has engines run for it as long as some are asked for, and gives the run's id."""
    reply = await world.ask("run", text=text)
    await world.serve()
    return str(reply["run_id"])


def calls_asked(world: World, run: str) -> list[JsonObject]:
    """The payloads of the run's questions."""
    return [event["payload"] for event in world.log(run) if event["type"] == "approval_requested"]

"""Is served by the scripted model behind the base URL."""

from dayfly.agents.sdk import AgentDefinition
from dayfly.agents.tools import calculate

agent = AgentDefinition(instructions="Help.", tools=(calculate,))

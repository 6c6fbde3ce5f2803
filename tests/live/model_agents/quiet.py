"""Shows nothing of what its model reasons."""

from dayfly.agents.sdk import AgentDefinition

agent = AgentDefinition(instructions="Help.", show_reasoning=False)

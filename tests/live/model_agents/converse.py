"""Is served by the scripted model in the place of Amazon Bedrock."""

from dayfly.agents.sdk import AgentDefinition
from dayfly.agents.tools import calculate

agent = AgentDefinition(instructions="Help.", tools=(calculate,), model="bedrock:amazon.nova-lite-v1:0")

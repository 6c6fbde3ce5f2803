"""The installed agents: one module each, named as the agent is, with `agent = AgentDefinition(...)` in it."""

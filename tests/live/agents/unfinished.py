"""An agent that was never written: its file has no definition."""

agent = None

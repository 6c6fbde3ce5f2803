"""What runs inside an engine: the agents that are installed, behind one narrow protocol."""

"""Evaluates an agent by the cases of a file: `make evals AGENT=assistant [MODEL=openai:…] [CASES=…]`.

Each case is a message to the agent, and what is expected of its run: words of the answer, the tools that it calls and
with which arguments, an output, or a sentence that another model judges by. They run against the demo model, or a real
one, without AWS and the emulator, as `ask` does; pydantic-evals compares and prints.
Source: https://ai.pydantic.dev/evals/
"""

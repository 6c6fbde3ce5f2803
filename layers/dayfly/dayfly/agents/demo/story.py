"""The story the demo model tells."""

from typing import Final

STORY: Final = """\
Once there was a lighthouse keeper who counted ships. Every evening she climbed the hundred and twelve steps, lit the \
lamp, and wrote down what passed: two fishing boats, a ferry, a ship with red sails that she had never seen before.

The ship with red sails came back the next night, and the night after that. It never called at the harbour. It only \
passed, always at the same hour, always from the west, as if it had forgotten to arrive somewhere and was trying again.

On the seventh night the keeper dimmed her lamp for a moment and made it bright again, three times, which among \
sailors means: I see you. For a long while nothing happened. Then, far out, a small light went dark and bright, three \
times, and the red sails turned towards the land.

The captain was an old man with a chart so worn that the coast had rubbed off. He had been looking for a harbour \
that his grandmother had told him about, where somebody wrote down every ship, so that none could be lost. The keeper \
opened her book and showed him the page. There he was: seven times, with the hour beside it.

He stayed until spring. When he left she wrote that down as well, and he has been in the book each year since, on the \
first clear night of autumn, a ship with red sails, arriving.
"""

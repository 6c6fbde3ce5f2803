"""What a user may do at once and over time."""

from typing import Final

ACTIVE_RUNS: Final = 40
"""Runs of one user that may be under way or queued at once: more than one thread's queue holds."""
WINDOW_MS: Final = 60_000
"""A window opens with the first run that a user starts after the one before is over."""
WINDOW_RUNS: Final = 60
"""Runs that one user may start within a window."""
REQUEST_KEPT_S: Final = 24 * 3600
"""How long a client's request id is remembered."""
ATTACHED_KEPT_S: Final = 3 * 3600
"""A socket lives 2 hours at most; its rows are kept a little longer."""
TITLE_CHARS: Final = 60
"""Characters of a thread's first message that become its title."""

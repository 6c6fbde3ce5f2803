"""Keeping, telling and forgetting the user's notes."""

from dayfly.agents.notes import NOTE_CHARS
from dayfly.agents.sdk.tool_context import ToolContext

NOTHING = "There are no notes yet."


async def remember(context: ToolContext, text: str) -> str:
    """Keeps a note for the user, to be told in any later conversation.

    Args:
        text: What to keep, as one statement, such as "my code is 1234".
    """
    await context.notes.add(text, at=context.clock.now_ms(), idempotency_key=context.idempotency_key)
    return f"Noted: {text.strip()[:NOTE_CHARS]}"


async def recall(context: ToolContext, about: str = "") -> str:
    """Tells the notes kept for the user, oldest first.

    Args:
        about: A word that the notes should hold; leave it empty for all notes.
    """
    notes = [note.text for note in await context.notes.all() if about.casefold() in note.text.casefold()]
    if notes:
        return "\n".join(f"- {text}" for text in notes)
    return f"There is no note about {about}." if about else NOTHING


async def forget_note(context: ToolContext, text: str) -> str:
    """Removes notes kept for the user, for good.

    Args:
        text: What the notes hold, as exactly as possible; all of its words must stand in a note for it to be removed.
    """
    removed = await context.notes.remove(text)
    if not removed:
        return f'No note holds "{text.strip()}": nothing was removed.'
    notes = "\n".join(f"- {note.text}" for note in removed)
    return f"Removed {len(removed)} {'note' if len(removed) == 1 else 'notes'}:\n{notes}"

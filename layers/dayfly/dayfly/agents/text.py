"""Text that may come from anywhere and must be storable."""


def storable(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD: UTF-8 has no form for one (RFC 3629, section 3), so it
    could be neither stored nor sent. A model's or a tool's JSON may hold one, as half of an escaped pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

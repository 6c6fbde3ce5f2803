"""Lets everybody in."""


def handler(_event: object, _context: object) -> dict[str, int]:
    """The route is `$connect` or `$disconnect`."""
    return {"statusCode": 200}

"""What is billed, from sizes and printed lines."""

from bench.capacity import Units
from bench.usage import of_lines, of_messages, of_units

REPORT = "REPORT RequestId: x\tDuration: 10.5 ms\tBilled Duration: 500 ms\tMemory Size: 512 MB\tMax Memory Used: 9 MB"


def test_messages_are_metered_in_increments() -> None:
    """32 KB are one message, a byte more is two; a begun minute is a minute."""
    used = of_messages((1, 32 * 1024, 32 * 1024 + 1), connected_s=61).amounts
    assert used == {"websocket_message": 4, "connection_minute": 2}


def test_reports_are_invocations() -> None:
    """Each REPORT line is a request and its GB-seconds; every line is log."""
    used = of_lines(["START", REPORT, REPORT]).amounts
    assert used["lambda_request"] == 2
    assert used["lambda_gb_second"] == 0.5
    assert round(used["log_gb"] * 1024**3) == len("START") + 2 * len(REPORT)


def test_usage_adds_up() -> None:
    """Amounts of the same kind are summed, others are kept."""
    both = of_units(Units(1, 2)) + of_units(Units(3, 4)) + of_messages((1,), connected_s=0)
    assert both.amounts == {"dynamodb_read": 4, "dynamodb_write": 6, "websocket_message": 1, "connection_minute": 0}

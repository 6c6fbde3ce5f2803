"""The counts of servers of OpenAI's Chat Completions."""

import pytest
from pydantic import JsonValue

from tests.contract.openai_responses import HELLO, STOP, USED, heard
from tests.contract.openai_wire import DONE, chunk, counted, data, stream, usage

USAGES: dict[str, tuple[tuple[bytes, ...], tuple[int, int]]] = {
    "behind the choices": ((HELLO, STOP, usage(10, 5), DONE), (10, 5)),
    "with the finish": ((HELLO, chunk({}, "stop", usage=USED), DONE), (10, 5)),
    "in every chunk, growing": (
        (*tuple(chunk({"content": "a"}, usage=counted(10, count)) for count in range(1, 6)), STOP, DONE),
        (10, 5),
    ),
    "in every chunk and in the end": (
        (*tuple(chunk({"content": "a"}, usage=counted(10, count)) for count in range(1, 6)), STOP, usage(10, 5), DONE),
        (10, 5),
    ),
    "the same in every chunk": (
        (chunk({"content": "a"}, usage=USED), chunk({}, "stop", usage=USED), usage(10, 5), DONE),
        (10, 5),
    ),
    "null": ((chunk({"content": "a"}, usage=None), chunk({}, "stop", usage=None), usage(10, 5), DONE), (10, 5)),
    "null in the end": ((HELLO, STOP, data({"choices": [], "usage": None}), DONE), (0, 0)),
    "none": ((HELLO, STOP, DONE), (0, 0)),
    "empty": ((HELLO, chunk({}, "stop", usage={}), DONE), (0, 0)),
    "no object": ((HELLO, chunk({}, "stop", usage=[1, 2]), DONE), (0, 0)),
    "floats and texts": (
        (HELLO, chunk({}, "stop", usage={"prompt_tokens": 10.0, "completion_tokens": "5", "total_tokens": None}), DONE),
        (10, 5),
    ),
    "no numbers": (
        (
            HELLO,
            chunk({}, "stop", usage={"prompt_tokens": "many", "completion_tokens": -5, "total_tokens": True}),
            DONE,
        ),
        (0, 0),
    ),
    "other names": ((HELLO, chunk({}, "stop", usage={"input_tokens": 10, "output_tokens": 5}), DONE), (10, 5)),
    "further members": (
        (
            HELLO,
            chunk(
                {},
                "stop",
                usage={
                    **USED,
                    "prompt_tokens_details": None,
                    "completion_tokens_details": {"reasoning_tokens": None, "x": {}},
                    "cost": 0.1,
                    "queue_time": 0.02,
                    "is_byok": False,
                    "cost_details": {"upstream": None},
                },
            ),
            DONE,
        ),
        (10, 5),
    ),
    "only the total": ((HELLO, chunk({}, "stop", usage={"total_tokens": 15, "completion_tokens": 5}), DONE), (10, 5)),
    "in the choice": (
        (HELLO, data({"choices": [{"delta": {}, "finish_reason": "stop", "usage": USED}]}), DONE),
        (10, 5),
    ),
    "in a member of its own": ((HELLO, chunk({}, "stop", x_groq={"usage": USED}), DONE), (10, 5)),
}


@pytest.mark.parametrize(("frames", "used"), USAGES.values(), ids=USAGES)
async def test_usage(frames: tuple[bytes, ...], used: tuple[int, int]) -> None:
    """Is counted once, whatever a server makes of it; it never costs the answer."""
    came = await heard(stream(*frames))
    assert came.failure is None, came.failure
    assert (came.response.input_tokens, came.response.output_tokens) == used


async def test_tokens_read_from_a_cache() -> None:
    """Are counted, where servers say it in either place."""
    places: tuple[dict[str, JsonValue], ...] = (
        {"prompt_tokens_details": {"cached_tokens": 4}},
        {"prompt_cache_hit_tokens": 4},
    )
    for more in places:
        came = await heard(stream(HELLO, chunk({}, "stop", usage={**counted(10, 5), **more}), DONE))
        assert (came.response.input_tokens, came.response.cache_read_tokens) == (10, 4)

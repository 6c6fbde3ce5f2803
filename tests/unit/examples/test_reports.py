"""`examples/agents/reports.py`, as its developer would test it."""

import struct
import zlib

import pytest

from dayfly.agents.sdk import ToolOutcome
from dayfly.agents.sdk.testing import ask
from examples.agents import reports


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "SECONDS", 0.01)


async def test_a_chart_comes_with_its_figures() -> None:
    """And its progress, of which the first is always told."""
    transcript = await ask(reports.agent, "Chart the sales of tea")
    (result,) = transcript.results
    assert result.content.startswith('{"product":"tea","euros":[120,90,140,210]}\n[file tea.png: image/png, ')
    assert transcript.progress[0] == "quarter 1 of 4"
    (file,) = result.files
    assert (file.name, file.media_type, file.size) == ("tea.png", "image/png", len(file.data))


def test_the_image_is_a_png() -> None:
    """Of four bars, of which the highest reaches the top."""
    image = reports.png((1, 2), height=4, width=1)
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", image[16:24]) == (2, 4)
    length = struct.unpack(">I", image[33:37])[0]
    rows = zlib.decompress(image[41 : 41 + length])
    assert [rows[place : place + 3] for place in range(0, 12, 3)] == [b"\0\xff\x30"] * 2 + [b"\0\x30\x30"] * 2


async def test_a_wrong_product_is_for_the_model_to_correct() -> None:
    """It is told which there are."""
    transcript = await ask(reports.agent, "Chart the sales of gold")
    (result,) = transcript.results
    assert result.outcome is ToolOutcome.RETRY
    assert "there are tea, cups" in result.content


async def test_a_generator_tells_its_shelves() -> None:
    """Its last value is the result."""
    transcript = await ask(reports.agent, "Audit the stock of cups")
    assert transcript.progress[0] == "shelf 1"
    assert transcript.results[0].content == '{"product":"cups","left":13}'

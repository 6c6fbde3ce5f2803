"""One emulator for all of these tests; each scripts what its models answer."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.modelled import Modelled, modelled


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modelled]:
    """The emulator and its models."""
    with modelled(tmp_path_factory.mktemp("modelled")) as started:
        yield started


@pytest.fixture
async def client(models: Modelled, user: str) -> AsyncIterator[Chat]:
    """A socket of the test's user."""
    async with models.chat(user) as opened:
        yield opened

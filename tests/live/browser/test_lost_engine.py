"""What a person sees of an engine that dies in the middle of an answer."""

import re

from playwright.sync_api import Page, expect

from tests.live.browser.person import SLOW_MS, ask, enter, second_tab
from tests.live.kit.control import ENGINE, order


def test_an_answer_goes_on_with_a_fresh_engine(page: Page, page_url: str) -> None:
    """The steps say that an engine was lost, what it had said stands there once, and another tab shows the same."""
    enter(page, page_url, "sybil")
    ask(page, "Tell me a long story, slowly")
    run = page.get_by_test_id("run")
    expect(run.get_by_test_id("answer")).to_contain_text("lighthouse", timeout=SLOW_MS)
    order(page_url.rstrip("/"), "faults", {"kind": "kill_environments", "function": ENGINE})
    expect(run.locator("[data-kind=resumed]")).to_have_text(re.compile("The engine was lost"), timeout=SLOW_MS)
    other = second_tab(page, "sybil")

    for tab in (page, other):
        expect(tab.get_by_test_id("run")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    answer = run.get_by_test_id("answer").inner_text()
    assert answer.count("Once there was") == 1
    assert answer.strip().endswith("arriving.")
    expect(run.get_by_test_id("steps")).not_to_contain_text("lighthouse")
    assert other.get_by_test_id("answer").inner_text() == answer
    other.close()

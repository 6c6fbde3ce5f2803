"""What a person sees of a model that reasons, fails and is asked again, of a tool that tells how far it is, and of an
answer that is cut off."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.live.agents.pondering import ANSWER, PIECES, REST
from tests.live.browser.person import SLOW_MS, ask, enter, second_tab

FIRST = "".join(f"one.{number} " for number in range(PIECES)).strip()
GO_ON = "Go on exactly where you stopped."


def _begin(page: Page, url: str, user: str, program: str) -> Locator:
    enter(page, url, user, agent="pondering")
    ask(page, program)
    return page.get_by_test_id("run").first


def _done(run: Locator) -> None:
    expect(run).to_have_attribute("data-state", "completed", timeout=SLOW_MS)


def test_a_cut_answer_is_gone_on_with(page: Page, page_url: str) -> None:
    """It is said that the answer is cut off; "Go on" sends a message in the thread, and the rest comes. Then the first
    answer is still said to be cut, and offers nothing any more."""
    run = _begin(page, page_url, "walter", "finish=length")
    _done(run)
    expect(run.get_by_test_id("answer")).to_have_text(ANSWER)
    expect(run.get_by_test_id("ending")).to_contain_text("cut off")
    run.get_by_test_id("go-on").click()

    rest = page.get_by_test_id("run").nth(1)
    _done(rest)
    expect(rest.get_by_test_id("user-message")).to_have_text(GO_ON)
    expect(rest.get_by_test_id("answer")).to_have_text(REST)
    expect(rest.get_by_test_id("ending")).to_have_count(0)
    expect(run.get_by_test_id("ending")).to_contain_text("cut off")
    expect(page.get_by_test_id("go-on")).to_have_count(0)


def test_a_cut_answer_is_known_after_a_reload(page: Page, page_url: str) -> None:
    """The history says it as well: after a reload, and in another tab, one can go on."""
    _done(_begin(page, page_url, "wendy", "finish=length"))
    page.reload()
    past = page.get_by_test_id("past").last
    expect(past).to_contain_text(ANSWER, timeout=SLOW_MS)
    expect(past.get_by_test_id("ending")).to_have_attribute("data-finish", "length")
    other = second_tab(page, "wendy")
    other.get_by_test_id("go-on").click(timeout=SLOW_MS)
    expect(other.get_by_test_id("run").get_by_test_id("answer")).to_have_text(REST, timeout=SLOW_MS)
    expect(page.get_by_test_id("run").get_by_test_id("answer")).to_have_text(REST, timeout=SLOW_MS)
    for tab in (page, other):
        expect(tab.get_by_test_id("go-on")).to_have_count(0)
    other.close()


@pytest.mark.parametrize(
    ("finish", "words", "goes_on"),
    [
        ("complete", None, False),
        ("context_window", "as long as the model can read", True),
        ("filtered", "held back", False),
        ("refused", "declined", False),
        ("other", "early", False),
    ],
)
def test_an_ending_has_its_words(page: Page, page_url: str, finish: str, words: str | None, goes_on: bool) -> None:
    """Each kind of ending has words of its own; a whole answer has none; only what was cut off can be gone on with."""
    run = _begin(page, page_url, f"xavier-{finish}", f"finish={finish}")
    _done(run)
    if words is None:
        expect(run.get_by_test_id("ending")).to_have_count(0)
    else:
        expect(run.get_by_test_id("ending")).to_contain_text(words)
    expect(page.get_by_test_id("go-on")).to_have_count(int(goes_on))


def test_reasoning_streams_apart_from_the_answer(page: Page, page_url: str) -> None:
    """While it comes it is open, and grows; when the answer comes it is folded, can be opened again, and is in no
    answer. There is a block for each request."""
    run = _begin(page, page_url, "yolanda", "seconds=1")
    block = run.get_by_test_id("reasoning").first
    toggle = block.get_by_test_id("reasoning-toggle")
    expect(block).to_contain_text("one.2", timeout=SLOW_MS)
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(toggle).to_have_text(re.compile("Reasoning…"))
    expect(run.get_by_test_id("answer")).to_be_empty()
    _done(run)
    expect(run.get_by_test_id("reasoning")).to_have_count(2)
    expect(toggle).to_have_attribute("aria-expanded", "false")
    thoughts = block.get_by_role("region", name="What the model reasoned", include_hidden=True)
    expect(thoughts).to_be_hidden()
    toggle.press("Enter")
    expect(thoughts).to_be_visible()
    expect(thoughts).to_have_text(FIRST)
    toggle.press("Enter")
    expect(thoughts).to_be_hidden()
    expect(run.get_by_test_id("answer")).to_have_text(ANSWER)


def test_a_retry_is_waited_for_and_then_a_line(page: Page, page_url: str) -> None:
    """While it is waited for: why, and for how long yet; what the failed request had said is gone. Afterwards one line
    says how often, whatever came in between."""
    run = _begin(page, page_url, "zachary", "retries=3 seconds=2")
    retry = run.get_by_test_id("retry")
    expect(retry).to_have_text(re.compile(r"too many requests\. Trying again in [12] s"), timeout=SLOW_MS)
    expect(run.get_by_test_id("run-state")).to_have_text("Waiting for the model")
    expect(run.get_by_test_id("answer")).to_be_empty()
    expect(retry).to_contain_text("broke off", timeout=SLOW_MS)
    expect(run).not_to_contain_text("void")
    _done(run)
    expect(retry).to_have_count(1)
    expect(retry).to_have_text(re.compile("asked again 3 times"))
    expect(run.get_by_test_id("reasoning").first).to_contain_text(FIRST)
    expect(run).not_to_contain_text("void")


def test_a_tool_tells_how_far_it_is(page: Page, page_url: str) -> None:
    """The last message stands at the running tool, and is gone when the tool has completed."""
    run = _begin(page, page_url, "quentin", "seconds=1.5")
    tool = run.locator("[data-kind=tool]")
    expect(tool.get_by_test_id("progress")).to_have_text("1 of 3", timeout=SLOW_MS)
    expect(tool.get_by_test_id("progress")).to_have_text("2 of 3", timeout=SLOW_MS)
    expect(tool.get_by_test_id("progress")).to_have_count(1)
    _done(run)
    expect(tool.get_by_test_id("progress")).to_have_count(0)
    expect(tool).to_contain_text("counted")


def test_files_and_a_structured_answer_are_shown(page: Page, page_url: str) -> None:
    """Each file has its name, kind and size; only what is kept under https is a link, which gives the page to nobody. A
    call that was never begun is a step that failed. The answer stands there as JSON, in lines."""
    enter(page, page_url, "ursula", agent="making")
    ask(page, "Draw it")
    run = page.get_by_test_id("run")
    _done(run)
    files = run.get_by_test_id("files").locator("li")
    expect(files).to_have_text(
        [re.compile("chart.png.*image/png, 12.3 kB"), re.compile("kept.csv"), re.compile("odd.html")]
    )
    links = run.get_by_test_id("files").get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://files.example/chart.png")
    expect(links).to_have_attribute("rel", re.compile("noopener"))
    statuses = [tool.get_attribute("data-status") for tool in run.locator("[data-kind=tool] details").all()]
    assert statuses == ["error", "ok"]
    expect(run.get_by_test_id("output")).to_contain_text('"total": 391,')

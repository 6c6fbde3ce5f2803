"""What a person does with the page, in a real browser, over the whole path."""

from playwright.sync_api import Locator, Page, expect

from tests.live.browser.person import SLOW_MS, ask, enter, second_tab

LIFECYCLE = ("accepted", "agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")


def test_a_question_is_answered_live(page: Page, page_url: str) -> None:
    """Picking a user and asking shows accepted, the five lifecycle events in order, and the answer 391."""
    enter(page, page_url, "alice")
    page.get_by_test_id("event-log-toggle").click()
    ask(page, "What is 17 * 23?")

    run = page.get_by_test_id("run")
    expect(run).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(run.get_by_test_id("user-message")).to_have_text("What is 17 * 23?")
    expect(run.get_by_test_id("answer")).to_contain_text("391")
    tool = run.locator("[data-testid=step][data-kind=tool]")
    expect(tool).to_contain_text("calculate")
    expect(tool).to_contain_text("391")
    assert _firsts(page, LIFECYCLE) == list(LIFECYCLE)
    seqs = [int(seq) for seq in _seqs(page)]
    assert seqs == sorted(seqs)


def test_the_answer_is_streamed(page: Page, page_url: str) -> None:
    """Text of a long answer stands on the page while its run is still running, and Stop ends it as stopped."""
    enter(page, page_url, "bob")
    ask(page, "Tell me a long story, slowly")
    run = page.get_by_test_id("run")
    answer = run.get_by_test_id("answer")
    expect(answer).not_to_be_empty(timeout=SLOW_MS)
    expect(run).to_have_attribute("data-state", "running")

    page.get_by_test_id("stop").click()
    expect(run).to_have_attribute("data-state", "cancelled", timeout=SLOW_MS)
    expect(answer).not_to_be_empty()
    expect(page.get_by_test_id("send")).to_be_visible()


def test_a_reload_in_mid_answer_loses_nothing(page: Page, page_url: str) -> None:
    """Reloaded while the answer streams, the page shows all of it from the beginning; so does a second tab."""
    enter(page, page_url, "carol")
    ask(page, "Tell me a long story, slowly")
    expect(page.get_by_test_id("answer")).not_to_be_empty(timeout=SLOW_MS)
    page.reload()
    other = second_tab(page, "carol")

    for tab in (page, other):
        run = tab.get_by_test_id("run")
        expect(run).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
        expect(run.get_by_test_id("user-message")).to_have_text("Tell me a long story, slowly")
    whole = page.get_by_test_id("answer").inner_text()
    assert len(whole) > 100
    assert other.get_by_test_id("answer").inner_text() == whole


def test_an_earlier_chat_is_there_again(page: Page, page_url: str) -> None:
    """After a reload the list shows the user's one thread, nobody else's, and in it what was said."""
    enter(page, page_url, "dora")
    ask(page, "What is 6 * 7?")
    expect(page.get_by_test_id("run")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    page.get_by_test_id("new-chat").click()
    page.reload()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "online", timeout=SLOW_MS)
    page.get_by_test_id("thread").click(timeout=SLOW_MS)

    past = page.get_by_test_id("past")
    expect(past.nth(0)).to_have_text("YouWhat is 6 * 7?", timeout=SLOW_MS)
    expect(past.nth(1)).to_contain_text("42")


def _log(page: Page) -> Locator:
    return page.locator("[data-testid=event-log] > li[data-event]")


def _firsts(page: Page, names: tuple[str, ...]) -> list[str]:
    """Of the names, those in the log, in the order in which each came first."""
    seen = [entry.get_attribute("data-event") for entry in _log(page).all()]
    return [name for name in dict.fromkeys(seen) if name in names]


def _seqs(page: Page) -> list[str]:
    """The seqs in the order in which their events arrived."""
    found = (entry.get_attribute("data-seq") for entry in _log(page).all())
    return [seq for seq in found if seq is not None]

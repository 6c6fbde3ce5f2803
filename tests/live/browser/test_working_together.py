"""Messages that wait for each other, answers that wait for a person, and threads that are named and forgotten."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.live.browser.person import SLOW_MS, ask, enter, second_tab

STORY = "Tell me a long story, slowly"


def test_a_message_waits_behind_a_running_one(page: Page, page_url: str) -> None:
    """Sent while an answer streams, a message is queued, with its place, and answered when the first is done."""
    enter(page, page_url, "erin")
    _tell_story(page)
    ask(page, "What is 17 * 23?")
    queued = _runs(page).nth(1)
    expect(queued).to_have_attribute("data-state", "queued", timeout=SLOW_MS)
    expect(queued.get_by_test_id("position")).to_have_text("next")
    expect(_runs(page).nth(0)).to_have_attribute("data-state", "running")

    expect(queued).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(queued.get_by_test_id("answer")).to_contain_text("391")
    expect(_runs(page).nth(0)).to_have_attribute("data-state", "completed")


def test_a_queued_message_can_be_cancelled(page: Page, page_url: str) -> None:
    """Cancelled while it waits, it never runs, the one behind it moves up, and the running one goes on."""
    enter(page, page_url, "frank")
    _tell_story(page)
    ask(page, "What is 6 * 7?")
    expect(_runs(page).nth(1)).to_have_attribute("data-state", "queued", timeout=SLOW_MS)
    ask(page, "What is 8 * 8?")
    expect(_run(page, "8 * 8").get_by_test_id("position")).to_have_text("number 2", timeout=SLOW_MS)
    _run(page, "6 * 7").get_by_test_id("cancel").click()

    expect(_run(page, "6 * 7")).to_have_attribute("data-state", "cancelled", timeout=SLOW_MS)
    expect(_run(page, "8 * 8").get_by_test_id("position")).to_have_text("next", timeout=SLOW_MS)
    expect(_run(page, "story")).to_have_attribute("data-state", "running")
    expect(_run(page, "8 * 8").get_by_test_id("answer")).to_contain_text("64", timeout=SLOW_MS)
    expect(_run(page, "6 * 7").get_by_test_id("answer")).to_be_empty()


def test_a_message_interrupts_by_keyboard(page: Page, page_url: str) -> None:
    """With Ctrl + Enter it ends the running answer and is answered before one that waited already."""
    enter(page, page_url, "grace")
    _tell_story(page)
    ask(page, "What is 6 * 7?")
    expect(_run(page, "6 * 7")).to_have_attribute("data-state", "queued", timeout=SLOW_MS)
    ask(page, "What is 17 * 23?", key="Control+Enter")

    expect(_run(page, "17 * 23")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(_run(page, "story")).to_have_attribute("data-state", "cancelled")
    expect(_run(page, "6 * 7")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    said = [re.sub(r"\W+", " ", text).strip() for text in page.get_by_test_id("user-message").all_inner_texts()]
    assert said == ["Tell me a long story slowly", "What is 17 23", "What is 6 7"]


def test_a_message_interrupts_by_its_button(page: Page, page_url: str) -> None:
    """The button beside Queue does the same."""
    enter(page, page_url, "heidi")
    _tell_story(page)
    page.get_by_test_id("message").fill("What is 17 * 23?")
    page.get_by_test_id("interrupt").click()
    expect(_run(page, "story")).to_have_attribute("data-state", "cancelled", timeout=SLOW_MS)
    expect(_run(page, "17 * 23").get_by_test_id("answer")).to_contain_text("391", timeout=SLOW_MS)


def test_a_second_tab_approves_after_a_reload_of_the_first(page: Page, page_url: str) -> None:
    """The question is there again after a reload and in another tab; answered there, it is closed in both."""
    enter(page, page_url, "ivan")
    _note_and_forget(page)
    page.reload()
    other = second_tab(page, "ivan")
    for tab in (page, other):
        card = tab.get_by_test_id("approval")
        expect(card).to_contain_text("forget_note", timeout=SLOW_MS)
        expect(card).to_contain_text("my bike")
        expect(card).to_contain_text("Counts as denied in")
        expect(_run(tab, "Forget the note")).to_have_attribute("data-state", "waiting")
    other.get_by_test_id("approve").click()

    for tab in (page, other):
        run = _run(tab, "Forget the note")
        expect(run).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
        expect(tab.get_by_test_id("approval")).to_have_count(0)
        expect(_tool(run)).to_have_attribute("data-approval", "approved")
        expect(_tool(run)).to_contain_text("Removed 1 note")
        expect(run.locator("[data-kind=resumed]")).to_have_text(re.compile("Went on after the answer"))
    other.close()


def test_a_denied_call_is_not_carried_out(page: Page, page_url: str) -> None:
    """Denied with a reason, the call is shown as denied, and what it would have removed is still there."""
    enter(page, page_url, "judy")
    _note_and_forget(page)
    page.get_by_test_id("reason").fill("I still need it")
    page.get_by_test_id("deny").click()

    run = _run(page, "Forget the note")
    expect(run).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(_tool(run)).to_have_attribute("data-status", "denied")
    expect(_tool(run)).to_have_attribute("data-approval", "denied")
    expect(run.get_by_test_id("answer")).to_contain_text("I still need it")
    ask(page, "What do you recall about my bike?")
    expect(_run(page, "What do you recall").get_by_test_id("answer")).to_contain_text("green", timeout=SLOW_MS)


def test_a_run_goes_on_when_all_of_its_calls_are_answered(page: Page, page_url: str) -> None:
    """Of two open calls each is answered by itself; the answer that was given is shown until the other is."""
    enter(page, page_url, "mallory")
    _say(page, "Remember that my bike is green and remember that my boat is red")
    ask(page, "Forget the note about my bike and forget the note about my boat")
    cards = page.get_by_test_id("approval")
    expect(cards).to_have_count(2, timeout=SLOW_MS)
    cards.filter(has_text="my bike").get_by_test_id("approve").click()
    expect(cards.filter(has_text="my bike").get_by_test_id("answer-given")).to_contain_text(
        "goes on when all is answered", timeout=SLOW_MS
    )
    expect(_run(page, "Forget the note")).to_have_attribute("data-state", "waiting")
    cards.filter(has_text="my boat").get_by_test_id("deny").click()

    run = _run(page, "Forget the note")
    expect(run).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(_tool(run, "my bike")).to_have_attribute("data-status", "ok")
    expect(_tool(run, "my boat")).to_have_attribute("data-status", "denied")


def test_stopping_a_waiting_run_closes_its_question(page: Page, page_url: str) -> None:
    """Stopped while it waits for an answer, the run ends, and nothing is left to answer."""
    enter(page, page_url, "niaj")
    _note_and_forget(page)
    page.get_by_test_id("stop").click()
    run = _run(page, "Forget the note")
    expect(run).to_have_attribute("data-state", "cancelled", timeout=SLOW_MS)
    expect(page.get_by_test_id("approval")).to_have_count(0)
    expect(_tool(run)).to_have_attribute("data-approval", "closed")


def test_a_thread_is_renamed_in_its_place_in_the_list(page: Page, page_url: str) -> None:
    """F2, a title and Enter name it, in another tab and after a reload too; Escape leaves it as it was."""
    enter(page, page_url, "olivia")
    _say(page, "What is 6 * 7?")
    other = second_tab(page, "olivia")
    expect(other.get_by_test_id("thread")).to_have_text("What is 6 * 7?", timeout=SLOW_MS)
    thread = page.get_by_test_id("thread")
    thread.focus()
    page.keyboard.press("F2")
    page.get_by_test_id("title").fill("Nothing of this")
    page.keyboard.press("Escape")
    expect(thread).to_have_text("What is 6 * 7?")
    expect(thread).to_be_focused()
    page.keyboard.press("F2")
    page.get_by_test_id("title").fill("Multiplying")
    page.keyboard.press("Enter")

    for tab in (page, other):
        expect(tab.get_by_test_id("thread")).to_have_text("Multiplying", timeout=SLOW_MS)
        expect(tab.get_by_role("heading", level=1)).to_have_text("Multiplying")
    page.reload()
    expect(page.get_by_test_id("thread")).to_have_text("Multiplying", timeout=SLOW_MS)
    other.close()


def test_a_thread_is_forgotten_after_a_question(page: Page, page_url: str) -> None:
    """Cancel keeps it; Forget takes it from the list and says so where it was open, in another tab too, for good."""
    enter(page, page_url, "peggy")
    _say(page, "What is 6 * 7?")
    other = second_tab(page, "peggy")
    expect(other.get_by_test_id("thread")).to_have_count(1, timeout=SLOW_MS)
    page.get_by_test_id("forget").click()
    page.get_by_test_id("forget-dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("thread")).to_have_count(1)
    page.get_by_test_id("thread").press("Delete")
    page.get_by_test_id("confirm-forget").click()

    for tab in (page, other):
        expect(tab.get_by_test_id("gone")).to_be_visible(timeout=SLOW_MS)
        expect(tab.get_by_test_id("thread")).to_have_count(0)
        expect(tab.get_by_test_id("message")).to_have_count(0)
    expect(page.get_by_test_id("new-chat")).to_be_focused()
    page.reload()
    expect(page.get_by_test_id("gone")).to_be_visible(timeout=SLOW_MS)
    page.get_by_test_id("new-chat").click()
    expect(page.get_by_test_id("message")).to_be_visible()
    expect(page.get_by_test_id("thread")).to_have_count(0)
    other.close()


def test_forgetting_ends_what_is_under_way(page: Page, page_url: str) -> None:
    """A thread that is forgotten while it answers is gone at once, and the next message begins a new one."""
    enter(page, page_url, "rupert")
    _tell_story(page)
    page.get_by_test_id("forget").click()
    page.get_by_test_id("confirm-forget").click()
    expect(page.get_by_test_id("gone")).to_be_visible(timeout=SLOW_MS)
    page.get_by_test_id("new-chat").click()
    _say(page, "What is 6 * 7?")
    expect(page.get_by_test_id("run")).to_have_count(1)
    expect(page.get_by_test_id("thread")).to_have_text("What is 6 * 7?")


def _runs(page: Page) -> Locator:
    return page.get_by_test_id("run")


def _run(page: Page, text: str) -> Locator:
    """The run of the message that holds the text."""
    return page.get_by_test_id("run").filter(has=page.get_by_test_id("user-message").filter(has_text=text))


def _tool(run: Locator, text: str = "") -> Locator:
    return run.locator("[data-testid=step][data-kind=tool] details").filter(has_text=text)


def _say(page: Page, text: str) -> None:
    """Asks, and waits for the answer."""
    ask(page, text)
    expect(_run(page, text)).to_have_attribute("data-state", "completed", timeout=SLOW_MS)


def _tell_story(page: Page) -> None:
    """A run that is under way for some ten seconds from here."""
    ask(page, STORY)
    expect(_run(page, "story").get_by_test_id("answer")).not_to_be_empty(timeout=SLOW_MS)


def _note_and_forget(page: Page) -> None:
    """A run that waits for approval."""
    _say(page, "Remember that my bike is green")
    ask(page, "Forget the note about my bike")
    expect(page.get_by_test_id("approval")).to_be_visible(timeout=SLOW_MS)

"""What a person does with the page."""

from typing import Final

from playwright.sync_api import Page, expect

SLOW_MS: Final = 45_000
"""A cold start of every function, on a busy machine."""


def enter(page: Page, url: str, user: str, *, agent: str | None = None) -> None:
    """Opens the page as this user, to talk to this agent; by default to the page's own."""
    page.goto(url if agent is None else f"{url}?agent={agent}")
    choose_user(page, user)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "online", timeout=SLOW_MS)


def choose_user(page: Page, user: str) -> None:
    """Says who one is."""
    page.get_by_test_id("user").fill(user)
    page.get_by_test_id("user").press("Enter")
    expect(page.get_by_test_id("current-user")).to_have_text(user)


def second_tab(page: Page, user: str) -> Page:
    """Another tab with what the first one shows, as the same user. To be closed by the test."""
    other = page.context.new_page()
    other.goto(page.url)
    choose_user(other, user)
    return other


def ask(page: Page, text: str, *, key: str = "Enter") -> None:
    """Sends a message."""
    page.get_by_test_id("message").fill(text)
    page.get_by_test_id("message").press(key)

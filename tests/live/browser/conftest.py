"""A running emulator with a freshly built page, and a real browser to look at it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.live.kit.emulator import ROOT, SHARED, EmulatorProcess, chatting

WEB = ROOT / "web"

BROWSER_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as its sources are now, so that no test passes on an old build: what `make` has built, if that is no
    older than any of them, else a build of its own."""
    built = WEB / "dist"
    if _is_fresh(built / "index.html"):
        return built
    npm = shutil.which("npm")
    if npm is None or not (WEB / "node_modules").is_dir():
        pytest.fail("The page cannot be built: run `npm ci` in web/ first.")
    target = tmp_path_factory.mktemp("page")
    build = [npm, "run", "--silent", "build", "--", "--outDir", str(target), "--emptyOutDir", "--logLevel", "warn"]
    subprocess.run(build, cwd=WEB, check=True, timeout=120)
    return target


def _is_fresh(built: Path) -> bool:
    folders = ([WEB / name, *(WEB / name).rglob("*")] for name in ("src", "public"))
    files = (WEB.glob(pattern) for pattern in ("index.html", "*.ts", "*.json"))
    made_at = built.stat().st_mtime if built.is_file() else 0.0
    return all(path.stat().st_mtime <= made_at for found in (*folders, *files) for path in found)


@pytest.fixture(scope="session")
def emulator(built_page: Path, application: Path) -> Iterator[EmulatorProcess]:
    """The application with the agents of these tests beside its own, with the page. Its users share engines: what is
    looked at here is what they see."""
    with chatting(application, "--page", str(built_page), *SHARED) as started:
        yield started


@pytest.fixture
def page_url(emulator: EmulatorProcess) -> Iterator[str]:
    """The address of the page. What the emulator said meanwhile is shown when the test fails."""
    printed = len(emulator.lines)
    yield f"{emulator.url}/"
    sys.stdout.writelines(emulator.lines[printed:])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Without one the tests are skipped, on a developer's machine only."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium here, and CI must have one.")
        pytest.skip("No Chromium here.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser profile's page; an error that it throws or logs fails the test."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert errors == []

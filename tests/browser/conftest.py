"""A running emulator with a freshly built page, and a real browser to look at it."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
START_S = 90
# The authorizer trusts the emulator's development issuer by these alone; `make run` gives the same.
LOCAL_ISSUER = ("JWT_ISSUER={url}", "JWT_AUDIENCE=dayfly", "JWT_JWKS_URL={url}/.well-known/jwks.json")
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


@pytest.fixture(scope="module")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as its sources are now, so that no test passes on an old build."""
    npm = shutil.which("npm")
    if npm is None or not (ROOT / "web" / "node_modules").is_dir():
        pytest.fail("The page cannot be built: run `npm ci` in web/ first.")
    target = tmp_path_factory.mktemp("page")
    build = [npm, "run", "--silent", "build", "--", "--outDir", str(target), "--emptyOutDir", "--logLevel", "warn"]
    subprocess.run(build, cwd=ROOT / "web", check=True, timeout=120)
    return target


class Emulator:
    """A started emulator. Its output is read to the end, so that it never blocks on a full pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._url: str | None = None
        self._settled = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def page_url(self) -> str:
        """The page's address, as printed. Fails the test if there is none in time."""
        self._settled.wait(START_S)
        if self._url is None:
            pytest.fail("The emulator did not start:\n" + self.said())
        return self._url

    def said(self) -> str:
        """All output since this was asked last."""
        lines, self._lines = self._lines, []
        return "".join(lines)

    def stop(self) -> None:
        """Ends it as Ctrl-C does, and by force if that is not enough."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        finally:
            self._process.kill()
            self._reader.join(timeout=5)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line)
            words = line.split()
            if words[:1] == ["page"]:
                self._url = words[1]
                self._settled.set()
        self._settled.set()


@pytest.fixture(scope="module")
def emulator(built_page: Path) -> Iterator[Emulator]:
    """The emulator as `make run` starts it, on a free port."""
    command = [sys.executable, "-m", "emulator", "--port", "0", "--page", str(built_page)]
    command += ["--env", *LOCAL_ISSUER]
    started = Emulator(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    yield started
    started.stop()


@pytest.fixture
def page_url(emulator: Emulator) -> Iterator[str]:
    """The address of the page. What the emulator said meanwhile is shown when the test fails."""
    yield emulator.page_url()
    sys.stdout.write(emulator.said())


@pytest.fixture(scope="module")
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

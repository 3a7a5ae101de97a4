"""A headless Chromium on the web page, and the page's own process; nothing of either outlives its ``with``."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.system import free_port, until

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = ("Overview", "Market", "Orders", "P&L", "Latency", "Processes", "Logs", "Controls")
WIDE, NARROW = (1280, 900), (390, 844)
# Slow machines, and two at work beside.
PATIENCE_MS = 40_000
expect.set_options(timeout=PATIENCE_MS)
# The page and its charts have had the same sizes for a while.
UNTIL_STILL = """async () => {
    const sizes = () => [...document.querySelectorAll('[data-testid=stMain], .js-plotly-plot .main-svg')]
        .map(part => [part.clientWidth, part.scrollHeight, part.getBoundingClientRect().width]).join();
    let last = sizes(), still = 0;
    for (let looks = 0; looks < 200 && still < 8; looks++) {
        await new Promise(done => setTimeout(done, 30));
        still = sizes() === last ? still + 1 : 0;
        last = sizes();
    }
}"""


@contextlib.contextmanager
def served(config: Path, home: Path | None = None) -> Iterator[str]:
    """Run ``tradebyte web`` for a configuration, on a free port; yield its address."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "TRADEBYTE_CONFIG"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"HOME": str(home)} if home else {})
    command = [sys.executable, "-m", "monitor", "web", "--config", str(config), "--port", str(port)]
    process = subprocess.Popen(command, cwd=config.parent, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = until("the page says its address", process.stdout.readline, 60)
        address = re.search(r"http://\S+", line)
        assert address, line
        yield address.group()
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser that talks to loopback only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A person's tab; ``complaints`` has what the console called an error, and every request that left the machine."""

    def __init__(self, browser: Browser, base: str, size: tuple[int, int] = WIDE, scheme: str = "light") -> None:
        self.base = base
        self.complaints: list[str] = []
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            accept_downloads=True,
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("console", lambda said: self._console(said.type, said.text))
        self.page.on("request", lambda request: self._request(request.url))

    def _console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.complaints.append(f"console: {text}")

    def _request(self, url: str) -> None:
        where = urllib.parse.urlsplit(url)
        if where.scheme not in ("data", "blob") and where.hostname != "127.0.0.1":
            self.complaints.append(f"request: {url}")

    def open(self, name: str = "Overview") -> Page:
        """Go to a page by its address and wait until it is drawn."""
        self.page.goto(f"{self.base}/?page={urllib.parse.quote(name)}")
        self.page.wait_for_selector("[data-line=state]")
        return self.page

    def turn(self, name: str) -> Page:
        """Go to a page by its button."""
        self.page.get_by_role("radio", name=name, exact=True).click()
        self.page.wait_for_selector(f".st-key-page-{PAGES.index(name)}")
        return self.page

    def settle(self) -> None:
        """Wait until nothing is being drawn for the first time."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        self.page.wait_for_timeout(300)

    def picture(self, path: Path, height_max: int = 4000) -> None:
        """Save the whole page, or as much of it as ``height_max``."""
        size = self.page.viewport_size
        assert size is not None
        whole = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(whole, height_max))})
        self.page.evaluate(UNTIL_STILL)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        self.page.set_viewport_size(size)

    def table(self, name: str) -> list[list[str]]:
        """Return a table's rows as a person reads them."""
        rows: list[list[str]] = self.page.evaluate(
            "name => [...document.querySelectorAll(`table[data-table='${name}'] tbody tr`)]"
            ".map(row => [...row.cells].map(cell => cell.innerText.trim()))",
            name,
        )
        return rows

    def card(self, name: str) -> str:
        """Return a figure's text."""
        return self.page.locator(f"[data-card='{name}'] .tb-value").first.inner_text()

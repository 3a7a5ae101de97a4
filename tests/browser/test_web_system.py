"""The page over a whole running system: what it shows equals the API, its halt halts, and it outlives the system."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from monitor.ui.text import money
from tests.browser import web
from tests.browser.web import PAGES, PATIENCE_MS, Visit
from tests.system import ROOT, System, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
PICTURES = ROOT / "run/screenshots"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    made = System(tmp_path_factory.mktemp("system"))
    try:
        made.start().until_quoting(90)
        yield made
    finally:
        made.stop(gently=False)


@pytest.fixture(scope="module")
def base(system: System) -> Iterator[str]:
    with web.served(system.folder / "config/config.yaml") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with web.chromium() as made:
        yield made


@pytest.fixture
def visit(browser: Browser, base: str, system: System) -> Iterator[Visit]:
    if system.config.halt_file.exists():
        system.json("resume")
    system.until_quoting(60)
    made = Visit(browser, base)
    yield made
    made.page.context.close()
    assert made.complaints == []


def said(system: System, path: str) -> Any:
    """Return the API's answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{system.config.monitor.port}/api/{path}", timeout=5) as answer:
        return json.load(answer)


def first(levels: list[list[str]]) -> list[str]:
    """Return the best price, or nothing: a monitor that has just started has no levels yet, and equals no row."""
    return [level[0] for level in levels[:1]]


def open_orders(system: System) -> dict[str, Any]:
    """Return the orders at the exchange, asked in a thread, since Playwright has an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        resting: dict[str, Any] = thread.submit(system.exchange, "OpenOrders").result(30)["open"]
    return resting


def agree(what: str, on_page: Callable[[], Any], from_api: Callable[[], Any]) -> None:
    """Check that the page shows one of the API's values of this while: values move."""
    heard: list[Any] = []

    def is_same() -> bool:
        heard.append(from_api())
        return on_page() in heard

    try:
        until(f"{what} on the page equals the API's", is_same, 30, every=0.1)
    except AssertionError as error:
        raise AssertionError(f"{error}: {on_page()!r}, {heard[-1]!r}") from None


def test_it_looks_as_it_looks_in_both_widths_and_themes(visit: Visit) -> None:
    visit.open()
    for name in PAGES:
        visit.turn(name)
        visit.settle()
        for width, height in (web.WIDE, web.NARROW):
            visit.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                visit.page.emulate_media(color_scheme=scheme)
                file = PICTURES / f"{name.replace('&', '').lower()}-{width}-{scheme}.png"
                visit.picture(file)
                assert file.stat().st_size > 5000


def test_each_page_shows_what_the_api_says(visit: Visit, system: System) -> None:
    until("there is a fill", lambda: said(system, "fills")["fills"], 120, every=0.2)
    visit.open("Overview")
    agree("P&L", lambda: visit.card("P&L"), lambda: money(said(system, "pnl")["total"]["profit"]))
    agree(
        "books",
        lambda: [row[:2] + row[2:4] for row in visit.table("books")],
        lambda: [
            [symbol, book["state"], *first(book["bids"]), *first(book["asks"])]
            for symbol, book in said(system, "books").items()
        ],
    )
    visit.turn("Market")
    agree("mid", lambda: visit.card("Mid"), lambda: said(system, "books")["BTC/USD"]["mid"])
    own = [order for order in said(system, "orders")["orders"] if order["is_live"] and order["symbol"] == "BTC/USD"]
    assert own
    until("own quotes stand in the ladder", lambda: any(row[0] for row in visit.table("ladder")), 30)
    expect(visit.page.locator(".js-plotly-plot")).to_have_count(2)
    visit.turn("Orders")
    agree(
        "orders",
        lambda: sorted(row[9] for row in visit.table("orders")),
        lambda: sorted(order["cl_ord_id"] for order in said(system, "orders")["orders"]),
    )
    agree(
        "fills",
        lambda: [row[-1] for row in visit.table("fills")],
        lambda: [fill["exec_id"] for fill in reversed(said(system, "fills?limit=5000")["fills"])],
    )
    visit.turn("P&L")
    agree("realised", lambda: visit.card("Realised"), lambda: money(said(system, "pnl")["total"]["realised"]))
    agree("balances", lambda: dict(visit.table("balances")), lambda: said(system, "positions")["balances"])
    visit.turn("Latency")
    agree(
        "hops",
        lambda: [row[0] for row in visit.table("hops")],
        lambda: [hop["hop"] for hop in said(system, "latency")["hops"]],
    )
    visit.turn("Processes")
    agree(
        "processes",
        lambda: [(row[0], row[1], row[3]) for row in visit.table("processes")],
        lambda: [(name, now["state"], str(now["pid"])) for name, now in said(system, "processes").items()],
    )
    visit.turn("Logs")
    agree("alerts", lambda: len(visit.table("active")), lambda: len(said(system, "alerts")["active"]))
    agree(
        "log",
        lambda: [row[3] for row in visit.table("log")],
        lambda: [line["event"] for line in reversed(said(system, "logs?limit=500")["lines"])],
    )


def state_line(page: Page, text: str) -> Locator:
    """Return the line of the state that says so; while the page is drawn anew the one before may stand beside it."""
    return page.locator("[data-line=state]", has_text=re.compile(text)).last


def test_halt_pressed_in_the_browser_leaves_nothing_open_on_the_exchange(visit: Visit, system: System) -> None:
    assert open_orders(system)
    page = visit.open("Controls")
    page.get_by_role("button", name="Halt...").click()
    page.get_by_role("dialog").get_by_text("pulled at once").wait_for()
    pressed = time.time()
    page.get_by_role("button", name="Halt now").click()
    expect(page.locator(".tb-banner", has_text="Halt: done")).to_be_visible(timeout=PATIENCE_MS)
    assert open_orders(system) == {}
    written = (system.config.halt_file).stat().st_mtime
    ended = [order["changed_ts"] for order in said(system, "orders")["orders"] if order["changed_ts"] > pressed]
    assert ended, "what was open ended by the halt"
    assert max(ended) - written < 1.0
    print(f"pressed to written {written - pressed:.3f} s, to the last order gone {max(ended) - pressed:.3f} s")
    expect(state_line(page, "Halted")).to_be_visible()
    page.get_by_role("button", name="Resume...").click()
    page.get_by_role("button", name="Resume trading").click()
    expect(state_line(page, "Not halted")).to_be_visible(timeout=PATIENCE_MS)


def test_a_process_is_restarted_from_the_page(visit: Visit, system: System) -> None:
    before = system.pid("book")
    page = visit.open("Controls")
    page.get_by_role("combobox", name="Process").click()
    page.get_by_role("option", name="book", exact=True).click()
    page.get_by_role("button", name="Restart...").click()
    page.get_by_role("button", name="Restart book").click()
    expect(page.locator(".tb-banner", has_text="Restart: done")).to_be_visible(timeout=PATIENCE_MS)
    assert system.pid("book") not in (0, before)


def test_an_open_page_outlives_a_system_that_is_killed_and_started_again(visit: Visit, system: System) -> None:
    page = visit.open("Overview")
    page.evaluate("window.sameTab = true")
    system.stop(gently=False)
    down = page.locator(".tb-banner", has_text="The system is down")
    expect(down).to_contain_text("make run", timeout=PATIENCE_MS)
    expect(down).to_contain_text("What is shown is")
    visit.picture(PICTURES / "down-1280-light.png")
    system.start().until_quoting(90)
    expect(down).to_have_count(0, timeout=PATIENCE_MS)
    agree(
        "books",
        lambda: [row[:3] for row in visit.table("books")],
        lambda: [[symbol, book["state"], *first(book["bids"])] for symbol, book in said(system, "books").items()],
    )
    assert page.evaluate("window.sameTab"), "the page recovered without being loaded again"

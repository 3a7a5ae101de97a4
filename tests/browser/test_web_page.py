"""The page over an API that holds still: what a person typed, chose and scrolled to stays; nothing is done unasked."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Browser, expect

from tests.browser import web
from tests.browser.web import PAGES, PATIENCE_MS, Visit
from tests.kit.fake_api import TOKEN, FakeApi, fill, sections
from tests.system import until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
TICKS_MS = 3500  # three renewals and more


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    made = FakeApi().start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def base(api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("web")
    for name in ("run", "config", "home"):
        (folder / name).mkdir()
    tree = {"trading": {"pairs": ["BTC/USD", "ETH/USD"]}, "monitor": {"port": api.port}}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(tree))
    (folder / "run/api-token").write_text(TOKEN)
    (folder / "home").chmod(0o500)
    with web.served(folder / "config/config.yaml", home=folder / "home") as address:
        yield address
    assert list((folder / "home").iterdir()) == [], "nothing is written to the home folder"
    assert [path.name for path in (folder / "run").iterdir()] == ["api-token"], "nothing is left behind"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with web.chromium() as made:
        yield made


@pytest.fixture
def visit(browser: Browser, base: str, api: FakeApi) -> Iterator[Visit]:
    api.answers, api.refusal, api.posted = sections(), None, []
    made = Visit(browser, base)
    yield made
    made.page.context.close()
    assert made.complaints == []


def test_what_was_typed_scrolled_and_zoomed_stays_while_the_page_renews_itself(visit: Visit, api: FakeApi) -> None:
    many = [fill(number) for number in range(200)]
    api.answers["/api/fills"] = {"fills": many}
    page = visit.open("Orders")
    box = page.get_by_label("Containing")
    box.fill("texec1")
    box.press("Enter")
    until("the filter is used", lambda: len(visit.table("fills")) == 111, 30)
    scroll = page.locator(".st-key-scroll-tall-fills")
    scroll.evaluate("box => { box.scrollTop = 300 }")
    box.press_sequentially("99")  # not sent yet: a renewal must not take it away
    api.answers["/api/fills"] = {"fills": [*many, fill(1000)]}
    until("the new fill is there", lambda: visit.table("fills")[0][-1] == "TEXEC1000", 30)
    page.wait_for_timeout(TICKS_MS)
    assert scroll.evaluate("box => box.scrollTop") == 300
    expect(box).to_have_value("texec199")
    expect(box).to_be_focused()


def test_a_charts_zoom_stays_while_its_data_moves_on(visit: Visit, api: FakeApi) -> None:
    page = visit.open("Market")
    chart = page.locator(".js-plotly-plot").nth(1)
    chart.locator(".scatterlayer .trace").first.wait_for(state="attached")
    ranged = "plot => plot.layout.xaxis.range"
    page.wait_for_timeout(1500)
    chart.scroll_into_view_if_needed()
    area = chart.locator(".nsewdrag").first.bounding_box()
    assert area is not None
    y = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + area["width"] * 0.3, y)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.6, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    zoomed = chart.evaluate(ranged)
    series = api.answers["/api/history"]["series"]
    ts, value = series["mid.BTC/USD"][-1]
    series["mid.BTC/USD"] = [*series["mid.BTC/USD"], [ts + 30, value + 1]]
    until(
        "the new point is drawn",
        lambda: chart.evaluate("plot => plot.data.find(trace => trace.name === 'mid').x.length") == 61,
        30,
    )
    page.wait_for_timeout(TICKS_MS)
    assert chart.evaluate(ranged) == zoomed


def test_nothing_fades_while_it_is_renewed(visit: Visit) -> None:
    page = visit.open("Overview")
    visit.settle()
    least = page.evaluate(
        """async () => { let least = 1; const end = Date.now() + 2500;
        while (Date.now() < end) { for (const part of document.querySelectorAll('.stMain .stElementContainer'))
            least = Math.min(least, Number(getComputedStyle(part).opacity));
            await new Promise(done => setTimeout(done, 30)); } return least }"""
    )
    assert least == 1


@pytest.mark.parametrize("name", ["Halt", "Resume", "Flatten", "Restart"])
def test_a_control_asks_first_and_then_sends_what_it_said(visit: Visit, api: FakeApi, name: str) -> None:
    page = visit.open("Controls")
    page.get_by_role("button", name=f"{name}...").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert api.posted == []
    page.get_by_role("button", name=f"{name}...").click()
    page.get_by_role("dialog").locator(".st-key-confirm button").click()
    expect(page.locator(".tb-banner", has_text=f"{name}: done")).to_be_visible(timeout=PATIENCE_MS)
    assert [path for path, _, _ in api.posted] == [f"/api/{name.lower()}"]
    assert TOKEN not in page.content()


def test_a_refused_control_says_why(visit: Visit, api: FakeApi) -> None:
    page = visit.open("Controls")
    page.get_by_role("button", name="Flatten...").click()
    page.get_by_role("dialog").locator(".st-key-confirm").wait_for()
    api.refusal = 409, {"error": "halted", "text": "halted: nothing can be closed", "mend": "resume first"}
    page.get_by_role("dialog").locator(".st-key-confirm button").click()
    said = page.locator(".tb-banner", has_text="Flatten: it did not work")
    expect(said).to_contain_text("halted: nothing can be closed: resume first", timeout=PATIENCE_MS)


def test_the_export_is_what_the_filter_leaves(visit: Visit) -> None:
    page = visit.open("Orders")
    page.get_by_role("radio", name="sell").click()
    until("the filter is used", lambda: len(visit.table("fills")) == 1, 30)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export fills as CSV").click()
    with open(download.value.path(), newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["exec_id"], row["price"], row["qty"]) == ("TEXEC2", "100002.0", "0.00050000")


def test_twenty_open_pages_ask_no_more_than_one(visit: Visit, api: FakeApi, browser: Browser, base: str) -> None:
    visit.open("Overview")
    context = browser.new_context()
    for _ in range(4):
        page = context.new_page()
        page.goto(base)
        page.wait_for_selector("[data-line=state]")
    api.requests = []
    visit.page.wait_for_timeout(5000)
    status_requests = sum(path == "/api/status" for path, _ in api.requests)
    context.close()
    assert 1 <= status_requests <= 8


def test_real_money_is_not_to_be_overlooked(visit: Visit, api: FakeApi) -> None:
    api.answers["/api/status"]["sandbox"] = False
    page = visit.open("Market")
    expect(page.locator(".tb-banner.tb-real")).to_contain_text("REAL MONEY", timeout=PATIENCE_MS)


@pytest.mark.parametrize("size", [web.WIDE, web.NARROW])
def test_no_page_is_wider_than_the_window(visit: Visit, size: tuple[int, int]) -> None:
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    visit.open()
    for name in PAGES:
        visit.turn(name)
        visit.settle()
        wide = visit.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= size[0], name


def test_staleness_and_its_age_are_said_and_over_when_it_is_over(visit: Visit, api: FakeApi) -> None:
    page = visit.open("Overview")
    page.evaluate("window.sameTab = true")
    api.refusal = 503, {"error": "busy", "text": "the monitor is busy", "mend": "wait"}
    said = page.locator(".tb-banner", has_text="Stale")
    expect(said).to_contain_text("What is shown is", timeout=PATIENCE_MS)
    expect(said).to_contain_text("the monitor is busy")
    grey = "getComputedStyle(document.querySelector('.st-key-page-0')).filter"
    assert "grayscale" in page.evaluate(grey)
    api.refusal = None
    expect(said).to_have_count(0, timeout=PATIENCE_MS)
    assert page.evaluate(grey) == "none"
    api.stop()
    down = page.locator(".tb-banner", has_text="The system is down")
    expect(down).to_contain_text("make run", timeout=PATIENCE_MS)
    api.start()
    expect(down).to_have_count(0, timeout=PATIENCE_MS)
    assert page.evaluate("window.sameTab")

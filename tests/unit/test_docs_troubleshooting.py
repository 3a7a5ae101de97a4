"""The troubleshooting page: each symptom has its test, each test named exists, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")

ENTRIES = (
    "Connection lost",
    "Message formats",
    "Invalid key",
    "Rate limits",
    "Order refused",
    "Strategy does not respond",
    "High latency",
    "Memory",
    "Web view",
    "Desktop",
    "Rust does not build",
    "Rust and Python",
    "Configuration",
    "Stale data",
)
SYMPTOMS = (
    "WebSocket connection lost",
    "ConnectionClosed exceptions",
    "Strategy stops unexpectedly",
    "'dict' object has no attribute 'split'",
    "JSON decode errors",
    "Unexpected message format",
    "API key and secret are required",
    "Failed to get WebSocket token",
    "401 Unauthorized",
    "Rate limit exceeded",
    "Requests being throttled",
    "Strategy performance degradation",
    "Orders not being placed",
    "Failed to place order",
    "Strategy not executing trades",
    "Orders not updating when market moves",
    "Strategy appears frozen",
    "No new orders being placed",
    "Slow order execution",
    "Delayed market data",
    "Poor strategy performance",
    "Increasing memory usage",
    "Application crashes",
    "Poor performance after running",
    "Streamlit app shows error page",
    "Data not displaying",
    "Interface unresponsive",
    "Application crashes on startup",
    "GUI elements not displaying",
    "Thread-related errors",
    "maturin develop fails",
    "Import errors for Rust modules",
    "Build errors",
    "ModuleNotFoundError",
    "Data type conversion errors",
    "Performance not improved",
    "Default values being used",
    "Configuration errors",
    "Strategy not using custom settings",
    "Stale market data",
    "No new price updates",
    "Data collection stopped",
)


def entries() -> dict[str, str]:
    """The page's sections by title."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_test_that_the_page_names_exists() -> None:
    named = TEST.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > len(SYMPTOMS)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file()
        or not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("title", ENTRIES)
def test_each_entry_says_what_you_see_what_to_ask_and_names_its_test(title: str) -> None:
    text = entries()[title]
    assert all(f"- **{part}**" in text for part in ("You see", "Ask", "Test"))
    assert TEST.search(text)


def test_every_symptom_of_the_guide_is_joined_with_a_test() -> None:
    rows = [line for line in entries()["Every symptom and its test"].splitlines() if TEST.search(line)]
    assert [symptom for symptom in SYMPTOMS if not any(symptom in row for row in rows)] == []


def test_links_between_the_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []

"""Streamlit's settings, all on the command line: nothing is read from or written to the home folder for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

APP: Final = Path(__file__).with_name("app.py")

SETTINGS: Final[dict[str, str]] = {
    "server.headless": "true",
    "server.showEmailPrompt": "false",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    # Another site's page that resolves its name to this machine must not reach the controls.
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "server.maxUploadSize": "1",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "logger.level": "error",
    "logger.hideWelcomeMessage": "true",
    "runner.magicEnabled": "false",
    # A whole garbage collection after each renewal of each part costs more than the renewal.
    "runner.postScriptGC": "false",
}

_BOTH: Final[dict[str, str]] = {
    "baseRadius": "6px",
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif",
    "codeFont": "ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace",
}
# Blue, orange, grey: told apart by the colour-blind too; each at 4.5 to 1 or more on its background.
THEMES: Final[dict[str, dict[str, str]]] = {
    "light": {
        "primaryColor": "#1f5fa8",
        "backgroundColor": "#ffffff",
        "secondaryBackgroundColor": "#f3f5f8",
        "textColor": "#17202b",
        "borderColor": "#d5dbe3",
    },
    "dark": {
        "primaryColor": "#6cb2f2",
        "backgroundColor": "#0f151d",
        "secondaryBackgroundColor": "#18212c",
        "textColor": "#e4e9ef",
        "borderColor": "#2c3846",
    },
}


def flags(host: str, port: int) -> Iterator[str]:
    """Yield the arguments after ``streamlit run``."""
    yield str(APP)
    yield from ("--server.address", host, "--server.port", str(port), "--browser.serverAddress", host)
    for name in ("127.0.0.1", "localhost", "::1"):
        yield from ("--server.allowedHosts", name)
    for key, value in SETTINGS.items():
        yield from (f"--{key}", value)
    for key, value in _BOTH.items():
        yield from (f"--theme.{key}", value)
    for theme, values in THEMES.items():
        for key, value in values.items():
            yield from (f"--theme.{theme}.{key}", value)

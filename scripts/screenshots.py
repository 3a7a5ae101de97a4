"""The pictures of the web page in README and docs, from the sandbox that runs in this folder (make screenshots)."""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402

from shared import config as configuration  # noqa: E402
from tests.browser import web  # noqa: E402

# Page, size, theme: what README and docs show.
PICTURES = (
    ("Overview", web.WIDE, "light"),
    ("Market", web.WIDE, "dark"),
    ("P&L", web.WIDE, "light"),
    ("Latency", web.WIDE, "dark"),
    ("Overview", web.NARROW, "dark"),
    ("Market", web.NARROW, "light"),
)
BYTES_MAX = 200_000
HEIGHT_MAX = 1400
COLOURS = 128
FILLS_WAIT_S = 180


def main() -> int:
    """Takes them all; 1, with what to do, when there is nothing to be seen."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", type=Path, default=ROOT / "config/config.yaml")
    options.add_argument("--out", type=Path, default=ROOT / "docs/images")
    asked = options.parse_args()
    if web.CHROMIUM is None:
        return _fail("no Chromium here; install it (Debian, Ubuntu: apt install chromium)")
    config = configuration.load(asked.config)
    if not config.kraken.sandbox:
        return _fail("pictures are taken of a sandbox only")
    api = f"http://{config.monitor.host}:{config.monitor.port}/api"
    try:
        until = time.monotonic() + FILLS_WAIT_S
        while not _get(f"{api}/fills")["fills"] and time.monotonic() < until:
            time.sleep(2)
    except OSError as error:
        return _fail(f"{api} does not answer ({error}); start the system in another terminal: make run")
    with web.served(asked.config.resolve()) as base, web.chromium() as browser:
        for name, size, scheme in PICTURES:
            visit = web.Visit(browser, base, size, scheme)
            visit.open(name)
            visit.settle()
            visit.page.wait_for_timeout(1500)
            file = asked.out / f"web-{name.replace('&', '').lower()}-{size[0]}.png"
            visit.picture(file, HEIGHT_MAX)
            visit.page.context.close()
            _shrink(file)
            print(f"{file}: {file.stat().st_size // 1000} kB")
            if file.stat().st_size > BYTES_MAX:
                return _fail(f"{file} is above {BYTES_MAX // 1000} kB")
    return 0


def _shrink(file: Path) -> None:
    """A page has few colours: a palette of them takes a third of the bytes."""
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS).save(file, optimize=True)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def _fail(text: str) -> int:
    print(f"screenshots: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

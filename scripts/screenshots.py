"""The pictures of web page and desktop window in README and docs, of the sandbox that runs here (make screenshots)."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402

from shared import config as configuration  # noqa: E402
from tests import desktop  # noqa: E402
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
    """Take every screenshot; return 1, after saying what to do, when there is nothing to take one of."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", type=Path, default=ROOT / "config/config.yaml")
    options.add_argument("--out", type=Path, default=ROOT / "docs/images")
    arguments = options.parse_args()
    if web.CHROMIUM is None:
        return _fail("no Chromium here; install it (Debian, Ubuntu: apt install chromium)")
    config = configuration.load(arguments.config)
    if not config.kraken.sandbox:
        return _fail("pictures are taken of a sandbox only")
    api = f"http://{config.monitor.host}:{config.monitor.port}/api"
    try:
        until = time.monotonic() + FILLS_WAIT_S
        while not _get(f"{api}/fills")["fills"] and time.monotonic() < until:
            time.sleep(2)
    except OSError as error:
        return _fail(f"{api} does not answer ({error}); start the system in another terminal: make run")
    with web.served(arguments.config.resolve()) as base, web.chromium() as browser:
        for name, size, scheme in PICTURES:
            visit = web.Visit(browser, base, size, scheme)
            visit.open(name)
            visit.settle()
            visit.page.wait_for_timeout(1500)
            file = arguments.out / f"web-{name.replace('&', '').lower()}-{size[0]}.png"
            visit.picture(file, HEIGHT_MAX)
            visit.page.context.close()
            if not _kept(file):
                return 1
    return _window(arguments.config.resolve(), arguments.out / "desktop.png")


def _window(config: Path, file: Path) -> int:
    """Return the desktop window, after a while in which there was something to draw."""
    missing = desktop.missing_elsewhere()
    if missing:
        return _fail(missing)
    command = [sys.executable, "-m", "tests.desktop", str(config), str(file), "long"]
    if subprocess.run(command, cwd=ROOT, env=desktop.offscreen(), check=False).returncode:
        return _fail("the desktop window did not show the system")
    return 0 if _kept(file) else 1


def _kept(file: Path) -> bool:
    """Shrink a picture; True if it is small enough then."""
    _shrink(file)
    print(f"{file}: {file.stat().st_size // 1000} kB")
    if file.stat().st_size > BYTES_MAX:
        _fail(f"{file} is above {BYTES_MAX // 1000} kB")
        return False
    return True


def _shrink(file: Path) -> None:
    """Reduce a picture to a palette: a page has few colours, and takes a third of the bytes."""
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS).save(file, optimize=True)


# Any: JSON of the API, of which each caller reads one member.
def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def _fail(text: str) -> int:
    print(f"screenshots: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

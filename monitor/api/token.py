"""The token that lets a program change state: whoever may read ``run/api-token`` may."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

NAME: Final = "api-token"
CHARACTERS_MIN: Final = 20


def read_or_create(run: Path) -> str:
    """Return the token of a run folder. A missing or short one is made; only its owner may read the file."""
    file = run / NAME
    with contextlib.suppress(FileNotFoundError):
        file.chmod(0o600)
        token = file.read_text(encoding="utf-8", errors="replace").strip()
        if len(token) >= CHARACTERS_MIN:
            return token
    made = secrets.token_urlsafe(32)
    run.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{NAME}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(made + "\n")
    fresh.replace(file)
    return made

"""The Rust crate's own tests, where there is a Rust toolchain and its crates can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CRATE = Path(__file__).resolve().parents[2] / "rust_client"


def _cargo(*words: str, timeout_s: float, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["cargo", *words, "--manifest-path", str(CRATE / "Cargo.toml")]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, env=os.environ | environment, check=False
    )


@pytest.mark.rust
@pytest.mark.timeout(1500)
def test_the_crate_passes_its_own_tests() -> None:
    if not (CRATE / "Cargo.toml").is_file():
        pytest.skip("there is no Rust crate")
    if shutil.which("cargo") is None or subprocess.run(["cargo", "--version"], capture_output=True).returncode:
        pytest.skip("no Rust toolchain (cargo) here")
    try:
        fetched = _cargo("fetch", timeout_s=120, CARGO_NET_RETRY="1", CARGO_HTTP_TIMEOUT="20")
    except subprocess.TimeoutExpired:
        pytest.skip("the Rust crates could not be fetched: the registry does not answer")
    if fetched.returncode:
        pytest.skip(f"the Rust crates could not be fetched: {fetched.stderr.strip()[-200:]}")
    # Nobody steps through it here: without what a debugger reads it compiles a fifth faster, in half the space.
    tested = _cargo("test", "--quiet", timeout_s=1300, CARGO_NET_OFFLINE="true", CARGO_PROFILE_DEV_DEBUG="0")
    assert tested.returncode == 0, tested.stdout[-4000:] + tested.stderr[-4000:]


@pytest.mark.rust
def test_set_up_fetches_all_that_it_then_builds_from_offline() -> None:
    log = CRATE.parent / "logs" / "setup-rust.log"
    if not log.is_file() or "Processing ./rust_client" not in log.read_text():
        pytest.skip("set-up has built no Rust module here: no toolchain, or its crates could not be fetched")
    assert "failed to download" not in log.read_text(), log.read_text()[-2000:]

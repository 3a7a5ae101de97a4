#!/usr/bin/env bash
# Everything that is checked without running the system; goes through all of it, and fails if any part did.
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
failed=()

step() { # name, command...
    local name=$1
    shift
    if "$@"; then printf 'check: %s: good\n' "$name"; else printf 'check: %s: FAILED\n' "$name"; failed+=("$name"); fi
}

step format "$bin/ruff" format --check .
step lint "$bin/ruff" check .
step types "$bin/mypy"
step layering "$bin/python" scripts/layering.py
step pages "$bin/python" scripts/docs_pages.py --check
if [ ! -f rust_client/Cargo.toml ]; then
    :
elif cargo --version >/dev/null 2>&1; then
    step rust-format cargo fmt --check --manifest-path rust_client/Cargo.toml
    step rust-lint cargo clippy --quiet --manifest-path rust_client/Cargo.toml --all-targets -- -D warnings
else
    echo "check: rust: skipped, no cargo here"
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'check: FAILED: %s\n' "${failed[*]}"
    exit 1
fi
echo "check: all good"

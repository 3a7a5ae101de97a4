#!/usr/bin/env bash
# Sets everything up in .venv/: Python, the locked packages, the project itself, and the Rust module where cargo is.
#
#   scripts/setup.sh          what running takes (make setup)
#   scripts/setup.sh dev      what testing and checking take as well (make test, make check)
#   scripts/setup.sh rust     builds the Rust module again, whatever was built before (make rust)
#
# Each step leaves a stamp keyed on what it was made from, so a second run does nothing. PYTHON names the Python to use.
set -euo pipefail
cd "$(dirname "$0")/.."

want=${1:-run}
venv=.venv
stamps=$venv/.stamps
# A registry that does not answer is given up on after this, and the Python twins take over.
fetch_seconds_max=${TRADEBYTE_FETCH_SECONDS:-90}
build_seconds_max=900

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Standard input's hash, or that of the named files and their names.
digest() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
bounded() { if command -v timeout >/dev/null; then timeout -k 5 "$@"; else shift; "$@"; fi; }

find_python() {
    local name
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3.14 python3 python}; do
        # Run, not only found: a version manager leaves names in PATH that start nothing.
        if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "no Python 3.11 or newer with its venv module is in PATH; install one (Debian, Ubuntu: apt install" \
        "python3 python3-venv), or name it: make setup PYTHON=/path/to/python3.12"
}

is_done() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }
done_with() { mkdir -p "$stamps" && printf '%s\n' "$2" >"$stamps/$1"; }

pip_install() {
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@"
}

make_venv() {
    # Scripts in a venv name its folder: one that was moved or copied here is made anew.
    if [ -f "$stamps/place" ] && ! is_done place "$PWD"; then
        say "$venv was made in another folder; making it anew"
        rm -rf "$venv"
    fi
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        local python
        python=$(find_python)
        say "making $venv with $("$python" --version)"
        rm -rf "$venv"
        "$python" -m venv "$venv"
    fi
    done_with place "$PWD"
}

install_packages() { # lock's name, what for
    local key
    key=$(digest <"$1")
    is_done "$1" "$key" && return
    say "installing the locked packages $2 ($1)"
    pip_install --require-hashes -r "$1" ||
        fail "the packages of $1 could not be installed (see above); check the network and run it again"
    done_with "$1" "$key"
}

install_project() {
    local key
    # An editable install knows the packages that were there when it was made.
    key=$({ cat pyproject.toml; echo */__init__.py; } | digest)
    is_done project "$key" && [ -x "$venv/bin/tradebyte" ] && return
    say "installing TradeByte itself (editable: what you edit is what runs)"
    pip_install --no-deps --no-build-isolation -e .
    done_with project "$key"
}

# What the module is built from.
rust_sources() {
    find rust_client -name target -prune -o -type f \
        \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.pyi' -o -name py.typed \) -print | LC_ALL=C sort
}

build_rust() {
    [ -f rust_client/Cargo.toml ] || return 0
    # Run, not only found: rustup's cargo without a toolchain is none.
    local cargo=no sources log=logs/setup-rust.log
    cargo --version >/dev/null 2>&1 && cargo=yes
    sources=$(rust_sources | tr '\n' '\0' | xargs -0 cat | digest)
    if [ "$want" != rust ]; then
        is_done rust-built "$sources" && return
        is_done rust-twins "cargo:$cargo $sources" && return
    fi
    if [ "$cargo" = no ]; then
        use_twins "no Rust toolchain (cargo) here" "install Rust, then 'make setup' builds it"
    elif ! fetch_crates >"$log" 2>&1; then
        use_twins "the Rust crates could not be fetched (see $log)" "'make rust' tries again"
    else
        say "building the Rust module (release; a minute or two)"
        if CARGO_NET_OFFLINE=true bounded "$build_seconds_max" "$venv/bin/python" -m pip install --no-input \
            --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall ./rust_client >"$log" 2>&1; then
            rm -f "$stamps/rust-twins"
            done_with rust-built "$sources"
        else
            use_twins "the Rust module did not build (see $log)" "'make rust' tries again"
        fi
    fi
}

use_twins() { # why, what to do about it
    say "$1: going on with the Python twins; $2"
    # One that was built from other sources must not be taken for these.
    "$venv/bin/python" -m pip uninstall --quiet --yes rust_client >/dev/null 2>&1 || true
    rm -f "$stamps/rust-built"
    done_with rust-twins "cargo:$cargo $sources"
}

fetch_crates() {
    local locked=()
    [ -f rust_client/Cargo.lock ] && locked=(--locked)
    # Every target's, not this machine's alone: the build is offline, and maturin asks `cargo metadata` for all of them.
    CARGO_NET_RETRY=1 CARGO_HTTP_TIMEOUT=20 bounded "$fetch_seconds_max" \
        cargo fetch ${locked[@]+"${locked[@]}"} --manifest-path rust_client/Cargo.toml
}

mkdir -p run logs data
# Two at once (make run here, make test there) would install over one another.
if command -v flock >/dev/null; then
    exec 9>run/setup.lock
    flock -n 9 || { say "waiting for another set-up of this folder"; flock 9; }
fi
# maturin and pip's scripts are found in the venv; nothing is written outside this folder but their caches.
export PATH="$PWD/$venv/bin:$PATH"
unset PYTHONPATH PYTHONHOME

make_venv
install_packages requirements.txt "to run"
[ "$want" != dev ] || install_packages requirements-dev.txt "to test and check"
install_project
build_rust

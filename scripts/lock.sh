#!/usr/bin/env bash
# Makes requirements.txt (to run) and requirements-dev.txt (to test and check) from pyproject.toml, with hashes of
# every wheel. Made with the oldest Python that is supported, so that its back-ports are in.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet pip-tools
compile() {
    "$work/venv/bin/pip-compile" --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host "$@" pyproject.toml
}
# What the tests need holds back what runs: botocore (of moto) takes no later one.
echo "python-dateutil<3" >"$work/constraints.txt"
# Later ones refuse Python before 3.11.5; Debian 12 has 3.11.2.
echo "pymdown-extensions<13" >"$work/dev-constraints.txt"
compile --upgrade --extra build --constraint "$work/constraints.txt" --output-file requirements.txt
compile --upgrade --extra build --extra dev --extra desktop --extra docs --constraint requirements.txt \
    --constraint "$work/dev-constraints.txt" --output-file requirements-dev.txt

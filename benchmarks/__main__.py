"""Everything that is measured of the platform's speed, one after the other: ``python -m benchmarks`` (``make bench``).

Each part is a command of its own and writes its section of RESULTS.md and results.json. Some 15 minutes on a quiet
machine; ``--quick`` takes two and writes nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

# Module, its arguments, and those of a quick run; None: not in a quick one.
PARTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...] | None], ...] = (
    ("book", (), ("--print", "--updates", "500")),
    ("book_peers", (), None),
    ("batch", (), None),
    ("chain.hop", ("--write",), ("--repeats", "1")),
    ("chain", ("--write",), ("--quick",)),
    ("everything", ("--write",), ("--quick",)),
    ("executor_pass", ("--write",), ("--pairs", "1", "100", "--passes", "50")),
    ("processes", ("--write",), ("--repeats", "1", "--seconds", "5")),
)


def main() -> None:
    """Run every part; the exit code says whether all could be measured."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    failed = []
    for module, whole, short in PARTS:
        arguments = short if quick else whole
        if arguments is None:
            continue
        began = time.monotonic()
        print(f"\n=== benchmarks.{module}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *arguments], check=False)
        print(f"=== {time.monotonic() - began:.0f} s", flush=True)
        if done.returncode:
            failed.append(module)
    if failed:
        raise SystemExit(f"could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()

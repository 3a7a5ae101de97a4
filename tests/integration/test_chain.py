"""The measured chain with real processes: our own live figures agree with what is measured from outside."""

from __future__ import annotations

import pytest

from benchmarks.chain import systems
from benchmarks.chain.run import HOPS, chain, percentile
from benchmarks.chain.schedule import Plan
from benchmarks.chain.systems import OURS
from book import implementation

pytestmark = pytest.mark.skipif(not implementation.RUST, reason="the stub's books are the Rust ones")


def test_the_live_histograms_agree_with_the_outside(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, systems.FOLDER = systems.FOLDER, tmp_path_factory.mktemp("chain")
    try:
        with chain(OURS, 1) as running:
            hops = running.hops(Plan(rate=100, seconds=3, calls=5))
            latency = running.latency
    finally:
        systems.FOLDER = folder
    count = len(hops[HOPS[0]])
    assert count >= 50, "nearly every calling frame has its order"
    # The parts make up the whole by construction; each is what the bus said, and none is negative beyond a moment.
    inside = [sum(hops[name][at] for name in HOPS[1:5]) for at in range(count)]
    histogram = latency.hops["frame_to_order"].histogram
    assert histogram.count >= count - 5
    for percent in (50.0, 90.0):
        ours, live = percentile(inside, percent) * 1000, histogram.percentile_ns(percent)
        # A bucket of the histogram is 6 % wide, and the two may lack a sample that the other has.
        near = sorted(inside)
        around = (
            near[max(0, int(percent / 100 * count) - 6)] * 1000,
            near[min(count - 1, int(percent / 100 * count) + 6)] * 1000,
        )
        assert around[0] * 0.93 <= live <= around[1] * 1.07, (ours, live)
    waited = latency.hops["waiting_by_rule"].histogram
    assert waited.percentile_ns(50.0) == 0, "its own limits are raised: nothing waits by rule"

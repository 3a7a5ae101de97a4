"""The table of the rate budget's benchmark."""

from __future__ import annotations

from benchmarks.rate_budget import Earned, Trial, table


def earned(seed: int, bps: float, highest: float | None, *, is_priced: bool) -> Earned:
    return Earned(Trial("calm", seed, 1800.0, is_priced), bps, 2 * bps, 10, 100.0, seed, highest)


def runs(highest: float | None) -> list[Earned]:
    paced = [earned(seed, bps, highest, is_priced=False) for seed, bps in ((1, -1.0), (2, 1.0))]
    return paced + [earned(seed, bps, highest and highest + seed, is_priced=True) for seed, bps in ((1, 1.0), (2, 2.0))]


def test_differences_are_of_the_same_seed_with_an_interval() -> None:
    assert table(runs(None), 0.5)[2:] == [
        "| calm | paced | +0.00 |  | +0.00 | 20 | 200 | 3 |",
        "| calm | priced | +1.50 | +1.50 ± 0.98 | +6.00 | 20 | 200 | 3 |",
    ]


def test_the_fast_engine_adds_the_counters_highest_level() -> None:
    lines = table(runs(40.0), 0.5)
    assert lines[0].endswith("| rate limits | highest level |")
    assert lines[1].count("---") == 9
    assert [line.rsplit("|", 2)[1] for line in lines[2:]] == [" 40 ", " 42 "]

"""A style that was fitted to a recording makes a market with the recording's figures."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from simulator import __main__ as shell
from simulator.market import recorded
from simulator.market.calibration import fit, listener
from simulator.market.calibration.follower import Follower
from simulator.market.replay import arrivals, ordered
from simulator.market.style import Style, style_of
from simulator.pairs.pairs import PAIRS

SOL = PAIRS["SOL/USD"]
CALM = style_of(SOL, "calm")
# A market that nobody would take for the pair's own.
KNOWN = replace(
    CALM, news_bp=1.6, cluster_rate=0.9, take_size=14.0, quiet_rate=9.0, level_size=60.0, near_bp=5.0, touch=(0.4, 6.0)
)


def recording(folder: Path, how: Style, seconds: float) -> Path:
    path = folder / "frames.jsonl"
    path.write_text("\n".join(listener.record(SOL, how, seconds)), encoding="utf-8")
    return path


def styled(text: str) -> Style:
    """Return the style in what the command prints, which is an entry of CALM."""
    (printed,) = eval(f"{{{text}}}", {"Style": Style}).values()
    assert isinstance(printed, Style)
    return printed


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["simulator", *arguments])
    with pytest.raises(SystemExit) as ended:
        shell.main()
    return ended.value.code


def test_a_fitted_style_has_the_recordings_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording(tmp_path, KNOWN, 900)
    assert run(monkeypatch, "style", str(path)) == 0
    printed = capsys.readouterr().out
    assert "*" not in printed
    how = styled(printed)
    seen = Follower(ordered(recorded.read(path))["SOL/USD"]).follow()
    wanted = fit.targets(seen, 1e-8)
    assert len(wanted) >= 8
    # Of a seed that neither the fit nor its own check has seen; the pair's own style is far off.
    _, fitted = listener.watch_style(SOL, how, 3600, seed=77)
    _, own = listener.watch_style(SOL, CALM, 3600, seed=77)
    assert [target.name for target in wanted if not target.is_met(target.read(fitted))] == []
    assert sum(not target.is_met(target.read(own)) for target in wanted) >= 6


def test_a_recording_that_is_too_short_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording(tmp_path, CALM, 30)
    assert run(monkeypatch, "style", str(path)) == 78
    printed = capsys.readouterr().err
    assert f"style {path}: SOL/USD: 29.1 s of its book" in printed
    assert "a style takes 60 s of a pair's book, and 30 trades" in printed


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("style",), "style: which recording?"),
        (("style", "/nothing"), "style /nothing: No such file or directory"),
        (("calibrate", "--seeds", "0"), "--seeds 0: at least 1"),
        (("calibrate", "--seconds", "60", "--captures", "/nothing"), "--captures /nothing: data/"),
    ],
)
def test_a_wrong_command_line_says_why(
    arguments: tuple[str, ...],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *arguments) == 78
    assert why in capsys.readouterr().err


def test_a_file_without_a_book_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text('{"channel":"heartbeat"}\n')
    assert run(monkeypatch, "style", str(path)) == 78
    assert "no book of a known pair in it" in capsys.readouterr().err


def test_the_text_says_each_number_that_is_not_the_default() -> None:
    seen = Follower(ordered(arrivals(frame.encode() for frame in listener.record(SOL, CALM, 20)))["SOL/USD"]).follow()
    assert styled(fit.as_text("SOL/USD", CALM, [], seen)) == CALM

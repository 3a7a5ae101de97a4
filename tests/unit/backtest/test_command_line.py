"""Options of the research commands that cannot be are refused with what would be right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backtest.exact import command as exact
from backtest.screen import command as screen

WRONG = [
    (exact.main, ["--market", "synthetic", "--hours", "-1"], "-1 is not within 0.001 to 10000"),
    (exact.main, ["--market", "synthetic", "--hours", "many"], "many is not within"),
    (exact.main, ["x", "--latency-ms", "-5"], "-5 is not within 0 to 60000"),
    (exact.main, ["x", "--from", "garbage"], "'garbage' is no time such as"),
    (exact.main, ["x", "--market", "synthetic"], "name either a PATH or --market synthetic"),
    (exact.main, [], "name recorded data"),
    (screen.main, ["x", "--every-ms", "0"], "0 is not within 0.001"),
    (screen.main, ["x", "--latency-ms", "nan"], "nan is not within 0 to 60000"),
    (screen.main, ["nowhere"], "nowhere: there is no such file"),
]


@pytest.mark.parametrize(("main", "arguments", "text"), WRONG)
def test_what_cannot_be_is_refused(
    main: object, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(main)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code in (1, 2)
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("main", "option"),
    [(exact.main, "--queue"), (exact.main, "--latency"), (screen.main, "--queue"), (screen.main, "--moves")],
)
def test_a_choice_that_there_is_not_is_answered_with_those_that_there_are_as_one_types_them(
    main: Callable[[list[str]], None], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["somewhere", option, "other"])
    said = capsys.readouterr().err
    assert "invalid choice: 'other' (choose from '" in said
    assert "<" not in said.partition("(choose from")[2]

"""Whatever begins, ends and flickers: every trouble that was told is told as over once, and not again too soon."""

from __future__ import annotations

from hypothesis import given, strategies as st

from monitor.model.alerting.alerts import Alerts, Begin, Condition, End
from shared.clock import SECOND
from shared.config import alerts as alert_settings
from shared.config.alerts import Rule

NAMES = ("a", "b", "halt")
RULE = {"a": "machine_disk", "b": "machine_memory", "halt": "webhook"}
seconds = st.integers(0, 20)
a_rule = st.builds(Rule, lasts_s=seconds, again_s=seconds, over_s=seconds)
# What holds in a second, whether the held one is begun or ended, and the seconds until the next.
steps = st.lists(
    st.tuples(st.sets(st.sampled_from("ab")), st.sampled_from(["begin", "end", "nothing"]), st.integers(1, 9)),
    max_size=80,
)


def condition(name: str) -> Condition:
    return Condition(RULE[name], name, name)


@given(a_rule, a_rule, a_rule, steps)
def test_every_alert_told_is_cleared_once_and_never_told_twice_in_a_hold_off(
    first: Rule, second: Rule, third: Rule, happens: list[tuple[set[str], str, int]]
) -> None:
    rules = alert_settings.Alerts(machine_disk=first, machine_memory=second, webhook=third)
    alerts, now = Alerts(rules), 0
    of_rule = {"a": first, "b": second, "halt": third}
    alerted_at: dict[str, int] = {}
    holds_since: dict[str, int] = {}
    away_since: dict[str, int] = dict.fromkeys(NAMES, 0)
    held = False
    for chosen, act, pause in [*happens, (set(), "end", 1), *[(set(), "nothing", 7)] * 6]:
        now += pause
        said = []
        if act != "nothing":
            held = act == "begin"
            said += (
                alerts.begin(Begin("halt", condition("halt")), now * SECOND)
                if held
                else alerts.end(End("halt"), now * SECOND)
            )
        holding = chosen | ({"halt"} if held else set())
        for name in NAMES:
            if name in holding:
                away_since.pop(name, None)
                holds_since.setdefault(name, now)
            else:
                away_since.setdefault(name, now)
                if name not in alerted_at:
                    holds_since.pop(name, None)
        said += alerts.turn({name: condition(name) for name in chosen}, now * SECOND)
        for each in said:
            name = each.text.split()[0]
            rule = of_rule[name]
            if each.kind.endswith("-over"):
                assert name in alerted_at, "over without having been told"
                assert name not in holding, "over while it holds"
                del alerted_at[name]
                holds_since.pop(name, None)
                continue
            assert name in holding, "told without holding"
            assert now - holds_since[name] >= rule.lasts_s, "told before it lasted"
            if name in alerted_at:
                assert rule.again_s > 0
                assert now - alerted_at[name] >= rule.again_s, "told twice in a hold-off"
            alerted_at[name] = now
    assert alerted_at == {}, "told, ended, and never said to be over"
    assert alerts.active(now * SECOND, now * SECOND) == []

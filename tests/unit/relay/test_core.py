"""The relay's core: one subscription for each prefix, the last value of each state, and nothing that is outdated."""

from __future__ import annotations

from hypothesis import given, strategies as st

from relay.core import Change, Relay
from shared import limits
from shared.bus import topics
from shared.clock import SECOND

BOOK, TARGET, TRADE = b"book.BTC/USD\0", b"target.mm.BTC/USD\0", b"feed.trade.BTC/USD\0"
SNAPSHOT = topics.encode(topics.SNAPSHOT_REQUEST)


def begins(prefix: bytes) -> Change:
    return Change(prefix, begins=True)


def ends(prefix: bytes) -> Change:
    return Change(prefix, begins=False)


def test_the_publishers_hear_of_a_prefix_once() -> None:
    relay = Relay()
    assert relay.subscriptions([b"\x01book.", b"\x01book\0"])[0] == [begins(b"book."), begins(b"book\0")]
    assert relay.subscriptions([b"\x01book."] * 20)[0] == []
    assert relay.wanted == {b"book.", b"book\0"}


def test_what_nobody_wants_any_more_is_dropped_there_and_here() -> None:
    relay = Relay()
    relay.subscriptions([b"\x01book.", b"\x01target.", b"\x01" + TARGET])
    relay.message([BOOK, b"1"], 0)
    relay.message([TARGET, b"2"], 0)
    upstream, state = relay.subscriptions([b"\x00book.", b"\x00target."])
    assert (upstream, state) == ([ends(b"book."), ends(b"target.")], [])
    assert relay.subscriptions([b"\x01"])[1] == [(TARGET, b"2")]


def test_what_was_never_wanted_or_is_no_subscription_changes_nothing() -> None:
    relay = Relay()
    assert relay.subscriptions([b"\x00book.", b"", b"\x02book."]) == ([], [])


def test_a_new_reader_gets_the_last_value_of_each_state_that_it_wants_and_of_no_event() -> None:
    relay = Relay()
    relay.subscriptions([b"\x01"])
    for payload in (b"1", b"2"):
        for topic in (BOOK, TARGET, TRADE):
            relay.message([topic, payload], 0)
    assert relay.kept == 2
    assert relay.subscriptions([b"\x01book.", b"\x01book\0"])[1] == [(BOOK, b"2")]
    assert relay.subscriptions([b"\x01feed.trade."])[1] == []


def test_each_request_for_snapshots_reaches_the_collector() -> None:
    relay = Relay()
    first = relay.subscriptions([b"\x01" + SNAPSHOT])[0]
    second = relay.subscriptions([b"\x01" + SNAPSHOT])[0]
    assert first == [begins(SNAPSHOT)]
    assert second == [ends(SNAPSHOT), begins(SNAPSHOT)]


def test_the_state_of_a_publisher_that_is_gone_is_not_handed_on() -> None:
    relay = Relay()
    relay.subscriptions([b"\x01"])
    kept = int(limits.RELAY_KEPT_S * SECOND)
    relay.message([BOOK, b"1"], 0)
    relay.message([TARGET, b"1"], 0)
    relay.message([TARGET, b"1"], 1)
    relay.turn(kept)
    assert relay.kept == 2
    relay.turn(kept + 1)
    assert relay.subscriptions([b"\x01"])[1] == [(TARGET, b"1")]


def test_garbage_is_forwarded_and_not_kept() -> None:
    relay = Relay()
    relay.subscriptions([b"\x01"])
    for frames in ([b"book.BTC/USD", b"1"], [b"\xff\0", b"1"], [b"nobody\0", b"1"], [BOOK], [BOOK, b"1", b"2"]):
        relay.message(frames, 0)
    assert (relay.forwarded, relay.kept) == (5, 0)


def test_no_more_states_are_kept_than_the_bound() -> None:
    relay = Relay()
    relay.subscriptions([b"\x01"])
    for number in range(limits.BUS_TRACKED_TOPICS + 10):
        relay.message([topics.encode(f"book.{number}"), b"1"], 0)
    assert relay.kept == limits.BUS_TRACKED_TOPICS


PREFIXES = [b"", b"book", b"book.", BOOK, b"target.", b"feed.", TRADE, SNAPSHOT]
TOPICS = [BOOK, b"book.ETH/USD\0", TARGET, TRADE, b"book.status\0"]
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("joins"), st.integers(0, 3), st.sampled_from(PREFIXES)),
        st.tuples(st.just("leaves"), st.integers(0, 3), st.just(b"")),
        st.tuples(st.just("says"), st.just(0), st.sampled_from(TOPICS)),
    ),
    max_size=60,
)


@given(EVENTS)
def test_whoever_joins_or_leaves_each_reader_gets_the_bytes_that_it_would_get_directly(
    events: list[tuple[str, int, bytes]],
) -> None:
    """Readers, XPUB's rules and a publisher are played here; only the relay's core is real."""
    relay, readers, upstream = Relay(), [set[bytes]() for _ in range(4)], set[bytes]()
    newest: dict[bytes, bytes] = {}
    got: list[dict[bytes, list[bytes]]] = [{} for _ in readers]

    def publish(topic: bytes, payload: bytes) -> None:
        if any(topic.startswith(prefix) for prefix in upstream):
            relay.message([topic, payload], 0)
            hand_out(topic, payload)

    def hand_out(topic: bytes, payload: bytes) -> None:
        for number, prefixes in enumerate(readers):
            if any(topic.startswith(prefix) for prefix in prefixes):
                seen = got[number].setdefault(topic, [])
                if seen[-1:] != [payload]:
                    seen.append(payload)

    def carry_out(changes: list[bytes]) -> None:
        wanted, state = relay.subscriptions(changes)
        for change in wanted:
            (upstream.add if change.begins else upstream.remove)(change.prefix)
        for topic, payload in state:
            hand_out(topic, payload)
        for change in wanted:
            if change.begins:
                for topic, payload in newest.items():
                    kind = topics.kind_of(topics.decode(topic))
                    if kind is not None and kind.is_state and topic.startswith(change.prefix):
                        publish(topic, payload)

    direct: list[dict[bytes, list[bytes]]] = [{} for _ in readers]
    for count, (event, number, what) in enumerate(events):
        if event == "joins":
            readers[number].add(what)
            carry_out([b"\x01" + what])
            for topic, payload in newest.items():
                kind = topics.kind_of(topics.decode(topic))
                seen = direct[number].setdefault(topic, [])
                is_due = kind is not None and kind.is_state and topic.startswith(what) and seen[-1:] != [payload]
                seen.extend([payload] if is_due else [])
        elif event == "leaves":
            left, readers[number] = readers[number], set()
            carry_out([b"\x00" + each for each in left if not any(each in others for others in readers)])
        else:
            newest[what] = b"%d" % count
            for place, prefixes in enumerate(readers):
                if any(what.startswith(prefix) for prefix in prefixes):
                    direct[place].setdefault(what, []).append(newest[what])
            publish(what, newest[what])
        assert upstream == relay.wanted == set().union(*readers)
    assert got == [{topic: seen for topic, seen in each.items() if seen} for each in direct]

"""The API as the page reads it: shared, bounded, honest about its age; and what acting takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.model.status_object import Status
from monitor.web import sections
from monitor.web.client import Answer, Client
from shared import limits
from tests.kit.fake_api import TOKEN, FakeApi


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api() -> Iterator[FakeApi]:
    made = FakeApi().start()
    yield made
    made.stop()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def client(api: FakeApi, hands: Hands, tmp_path: Path) -> Client:
    token = tmp_path / "api-token"
    token.write_text(f"{TOKEN}\n")
    return Client(api.base, token, clock=hands, wall=lambda: 5000.0)


def open_orders(answer: Answer[Status]) -> int:
    assert answer.data is not None
    return answer.data.open_orders


def test_a_section_is_fetched_once_a_tick_however_many_ask(client: Client, api: FakeApi, hands: Hands) -> None:
    for _ in range(20):
        assert open_orders(client.get(sections.STATUS)) == 2
    assert len(api.requests) == 1
    hands.now += limits.WEB_UPDATE_S
    client.get(sections.STATUS)
    assert len(api.requests) == 2


def test_twenty_pages_at_the_same_moment_make_one_request(client: Client, api: FakeApi) -> None:
    api.delay_s = 0.1
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(open_orders(client.get(sections.STATUS)))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [2] * 20
    assert len(api.requests) == 1


def test_what_is_asked_for_tells_sections_apart(client: Client, api: FakeApi) -> None:
    client.get(sections.FILLS, symbol="BTC/USD")
    client.get(sections.FILLS, symbol="ETH/USD")
    assert [query["symbol"] for _, query in api.requests] == [["BTC/USD"], ["ETH/USD"]]


def test_a_window_counts_back_from_the_fetch(client: Client, api: FakeApi) -> None:
    client.get(sections.HISTORY, series="equity", window_s=300.0)
    assert api.requests[0][1] == {"series": ["equity"], "since_ts": ["4700.000"]}


def test_when_nobody_listens_the_last_answer_stays_with_its_age(client: Client, api: FakeApi, hands: Hands) -> None:
    client.get(sections.STATUS)
    api.stop()
    hands.now += 5
    answer = client.get(sections.STATUS)
    assert (open_orders(answer), answer.age_s(hands.now), answer.is_refused) == (2, 5.0, True)


def test_it_recovers_by_itself(client: Client, api: FakeApi, hands: Hands) -> None:
    api.stop()
    assert client.get(sections.STATUS).at is None
    api.start()
    hands.now += limits.WEB_UPDATE_S
    assert client.get(sections.STATUS).trouble == ""


def test_an_api_that_just_failed_is_not_asked_for_each_section_in_turn(
    client: Client, api: FakeApi, hands: Hands
) -> None:
    api.stop()
    client.get(sections.STATUS)
    api.start()
    assert client.get(sections.BOOKS).is_refused
    assert api.requests == []
    hands.now += limits.WEB_UPDATE_S
    assert client.get(sections.BOOKS).trouble == ""


def test_a_refusal_is_told_in_the_apis_words_and_hides_nothing_known(
    client: Client, api: FakeApi, hands: Hands
) -> None:
    client.get(sections.PROFIT)
    api.refusal = 503, {"error": "starting", "text": "the monitor starts", "mend": "wait"}
    hands.now += 1
    answer = client.get(sections.PROFIT)
    assert answer.trouble == "the monitor starts: wait"
    assert answer.data is not None
    assert answer.data.currency == "USD"


def test_sections_are_bounded(client: Client, api: FakeApi) -> None:
    for number in range(limits.WEB_SECTIONS_KEPT + 10):
        client.get(sections.FILLS, limit=str(number))
    assert len(client._sections) == limits.WEB_SECTIONS_KEPT


def test_acting_sends_the_token_and_tells_what_came_of_it(client: Client, api: FakeApi) -> None:
    acted = client.act("/api/restart", process="book")
    assert (acted.ok, acted.text) == (True, "/api/restart was done")
    assert api.posted == [("/api/restart", {"process": "book"}, f"Bearer {TOKEN}")]


def test_acting_without_the_token_file_says_where_it_comes_from(api: FakeApi, tmp_path: Path) -> None:
    acted = Client(api.base, tmp_path / "api-token").act("/api/halt")
    assert not acted.ok
    assert "the monitor makes it when it starts" in acted.text
    assert api.posted == []


def test_a_refused_act_gives_the_mend(client: Client, api: FakeApi) -> None:
    api.refusal = 409, {"error": "halted", "text": "halted already", "mend": "resume first"}
    assert client.act("/api/flatten").text == "halted already: resume first"


def test_an_act_that_nobody_answers_is_not_called_done(client: Client, api: FakeApi) -> None:
    api.stop()
    acted = client.act("/api/halt")
    assert not acted.ok
    assert acted.text == "nobody knows what came of it: nothing listens there"


def test_an_answer_of_another_version_is_no_data_and_says_what_to_do(client: Client, api: FakeApi) -> None:
    api.answers["/api/status"]["open_orders"] = "two"
    answer = client.get(sections.STATUS)
    assert (answer.data, "start 'tradebyte web' again" in answer.trouble) == (None, True)
    assert client.get(sections.BOOKS).trouble == ""

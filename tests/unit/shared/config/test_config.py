"""The configuration: what is wrong is named with file, line and mend."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from shared import config
from shared.config import SANDBOX_DATA_KEY
from shared.errors import ConfigError

LIVE = """
kraken: {sandbox: false, api_key: A, api_secret: Qg==}
trading: {pairs: [BTC/USD], inventory_base: {BTC: 0}}
"""


def load(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> config.Config:
    folder = tmp_path / "config"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text)
    return config.load(folder / "config.yaml", environ=environ or {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "config.yaml:1: the file is empty"),
        ("- a\n", "config.yaml:1: expected top keys"),
        ("trading:\n  pairs: [\n", "config.yaml:3: not valid YAML"),
        ("trading:\n  max_positon_size: 5\n",
         "2: unknown key 'trading.max_positon_size'; did you mean 'max_position_size'?"),
        ("tradin:\n  pairs: []\n", "config.yaml:1: unknown key 'tradin'; did you mean 'trading'?"),
        ("trading:\n  max_position_size: much\n", "config.yaml:2: trading.max_position_size"),
        ("trading:\n  max_position_size: -1\n", "config.yaml:2: trading.max_position_size: must be above 0, found -1"),
        ("trading:\n  tier: gold\n",
         "config.yaml:2: trading.tier: must be one of starter, intermediate, pro, found 'gold'"),
        ("monitor:\n  alerts:\n    latency:\n      above_ms: {fast: 1}\n",
         "4: monitor.alerts.latency.above_ms: Invalid enum value 'fast', must be one of exchange_to_collector, "),
        ("simulator:\n  unconfirmed: {filled_report: seperate}\n",
         "unconfirmed.filled_report: must be one of separate, in_the_trade, found 'seperate'"),
        ("simulator:\n  unconfirmed: {batch_cancel_least: 3}\n",
         "unconfirmed.batch_cancel_least: must be one of 2, 1, 0, found 3"),
        ("simulator:\n  unconfirmed: {filed_report: separate}\n",
         "unknown key 'simulator.unconfirmed.filed_report'; did you mean 'filled_report'?"),
        ("kraken:\n  sandbox: true\n  ws_url: wss://ws.kraken.com/v2\n",
         "config.yaml:3: kraken.ws_url: sandbox is true but ws.kraken.com"),
        ("kraken:\n  api_key: ${NOT_SET}\n", "config.yaml:2: kraken.api_key: environment variable NOT_SET is not set"),
        ("kraken:\n  sandbox: false\n", "config.yaml:1: trading.inventory_base"),
        ("kraken:\n  sandbox: false\ntrading:\n  inventory_base: {BTC: 0}\n", "kraken.api_key: sandbox is false"),
        ("simulator:\n  host: 0.0.0.0\n", "config.yaml:2: simulator.host"),
        ("bus:\n  collector: tcp://10.0.0.1:5000\n", "bus.collector: tcp beyond loopback needs bus.curve"),
        ("bus:\n  colector: ipc://x\n", "config.yaml:2: bus.colector: no such process; did you mean collector?"),
        ("strategies:\n  m:\n    class: nonsense\n", "config.yaml:3: strategies.m.class: must be module:Class"),
        # What YAML 1.1 reads as another value than written.
        ("trading:\n  max_order_size: 25\n  max_order_size: 250\n",
         "3: trading.max_order_size: is there twice, in lines 2 and 3"),
        ("trading: {}\nbus: {}\ntrading: {}\n", "3: trading: is there twice, in lines 1 and 3"),
        ("trading:\n  max_order_size: 0250\n", "2: trading.max_order_size: 0250 may be read as another number"),
        ("trading:\n  max_daily_loss: 1:30\n", "2: trading.max_daily_loss: 1:30 may be read as another number"),
        ("simulator:\n  history_lag_s: [0x1, 1_0]\n", "2: simulator.history_lag_s[0]: 0x1 may be read as another"),
        ("trading:\n  inventory_base: {BTC: 1, ETH: 20, SOL: 1:30}\n", "2: trading.inventory_base.SOL: 1:30 may be"),
        ("trading:\n  dry_run: ON\n", "2: trading.dry_run: Expected `bool`, got `str`, found 'ON'"),
        ("trading:\n  dry_run: yes\n", "2: trading.dry_run: Expected `bool`, got `str`, found 'yes'"),
        ("strategies:\n  a: {}\n  b:\n    pairs: []\n    ttl_ms: soon\n", "5: strategies.b.ttl_ms: Expected `int`"),
        # Names.
        ("trading:\n  pairs: [BTC/USD, XBT/USD]\n", "2: trading.pairs[1]: 'XBT/USD' is not a pair as Kraken's "
         "WebSocket v2 writes it, such as BTC/USD; did you mean BTC/USD?"),
        ("trading:\n  pairs: [btc-usd]\n", "did you mean BTC/USD?"),
        ("trading:\n  pairs: [BTC/ZUSD]\n", "did you mean BTC/USD?"),
        ("trading:\n  pairs: [AAPLX/USD]\n  inventory_base: {AAPLx: 0}\n", "AAPLX is traded and not in it"),
        ("trading:\n  pairs: [AAPLy/USD]\n", "trading.pairs[0]: 'AAPLy/USD' is not a pair"),
        ("trading:\n  pairs: [BTC/USD, BTC/USD]\n", "trading.pairs[1]: BTC/USD is there twice"),
        ("trading:\n  default_pair: XBT/USD\n", "XBT/USD is not one of trading.pairs; did you mean BTC/USD?"),
        ("strategies:\n  m:\n    pairs:\n      - ETH/USD\n      - BTC/UDS\n",
         "5: strategies.m.pairs[1]: BTC/UDS is not one of trading.pairs; did you mean BTC/USD?"),
        ("trading:\n  currency: usd\n", "2: trading.currency: 'usd' is no asset as Kraken names it, such as USD; did "
         "you mean USD?"),
        ("trading:\n  inventory_base:\n    BTC: 1\n    XBT: 1\n    ETH: 1\n    SOL: 1\n",
         "4: trading.inventory_base.XBT: 'XBT' is no asset as Kraken names it; did you mean BTC?"),
        ("trading:\n  inventory_base: {btc: 1}\n", "'btc' is no asset as Kraken names it; did you mean BTC?"),
        ("trading:\n  inventory_base: {XXBT: 1}\n", "'XXBT' is no asset as Kraken names it; did you mean BTC?"),
        ("trading:\n  inventory_base: {BTC: 1, SOL: 1}\n", "2: trading.inventory_base: ETH is traded and not in it"),
        ("trading:\n  pairs: [BTC/USD, DOGE/USD]\n", "trading.inventory_base: DOGE is traded and not in it"),
        ("trading:\n  inventory_base: {BTC: -1, ETH: 1, SOL: 1}\n", "trading.inventory_base.BTC: must be 0 or more"),
        ("trading:\n  inventory_base: {BTC: .nan, ETH: 1, SOL: 1}\n", "trading.inventory_base.BTC: must be 0 or more"),
        # Ports and endpoints.
        ("monitor:\n  port: 81810\n", "2: monitor.port: must be 1 to 65535, found 81810"),
        ("simulator:\n  port: 0\n", "2: simulator.port: must be 1 to 65535, found 0"),
        ("monitor:\n  port: 8180\n", "port 8180 is"),
        ("monitor:\n  port: 8501\n", "port 8501 is monitor.port too"),
        ("bus:\n  rely: ipc://x\n", "config.yaml:2: bus.rely: no such process; did you mean relay?"),
        ("bus:\n  relay: tcp://127.0.0.1:8181\n", "2: bus.relay: port 8181 is monitor.port too"),
        ("bus:\n  relay: http://x\n", "2: bus.relay: must be ipc://PATH or tcp://HOST:PORT"),
        ("bus:\n  book: tcp://127.0.0.1:8181\n", "2: bus.book: port 8181 is monitor.port too"),
        ("bus:\n  book: tcp://127.0.0.1:70000\n", "2: bus.book: must be tcp://HOST:PORT with a port from 1 to 65535"),
        ("bus:\n  book: ipc://run/x\n  collector: ipc://run/x\n", "ipc://run/x is the endpoint of bus.collector too"),
        ("kraken:\n  rest_url: http://127.0.0.1:99999\n", "2: kraken.rest_url: must be https://HOST with a port"),
        ("kraken:\n  ws_url: '127.0.0.1:8180/v2'\n", "2: kraken.ws_url: must be wss://HOST"),
        # Keys.
        ("kraken:\n  api_key: $KRAKEN_API_KEY\n", "2: kraken.api_key: begins with '$'"),
        ("kraken:\n  api_key: ${KRAKEN_API_KEY:-x}\n", "2: kraken.api_key: a variable is written ${NAME}"),
        ("kraken:\n  api_key: ${KRAKEN_API_KEY\n", "2: kraken.api_key: a variable is written ${NAME}"),
        ("kraken:\n  halt_key: TRADEBYTE-SANDBOX-EXECUTOR-KEY-0000000000000000000000000\n",
         "2: kraken.halt_key: is api_key too"),
        ("kraken:\n  sandbox: false\n  api_key: A\n  api_secret: Qg==\n"
         "  halt_key: TRADEBYTE-SANDBOX-HALT-KEY-00000000000000000000000000000\n  halt_secret: c2Vj\n"
         "trading: {pairs: [BTC/USD], inventory_base: {BTC: 0}}\n",
         "5: kraken.halt_key: sandbox is false but this is the"),
        ("kraken:\n  data_key: D\n", "2: kraken.data_key: is set, but data_secret is not; set both, or neither"),
        ("kraken:\n  data_key: TRADEBYTE-SANDBOX-EXECUTOR-KEY-0000000000000000000000000\n  data_secret: c2Vj\n",
         "2: kraken.data_key: is api_key too"),
        ("kraken:\n  data_key: TRADEBYTE-SANDBOX-HALT-KEY-00000000000000000000000000000\n  data_secret: c2Vj\n",
         "2: kraken.data_key: is halt_key too"),
        ("kraken:\n  sandbox: false\n  api_key: A\n  api_secret: Qg==\n"
         "  data_key: TRADEBYTE-SANDBOX-VISITOR-KEY-00000000000000000000000000\n  data_secret: c2Vj\n"
         "trading: {pairs: [BTC/USD], inventory_base: {BTC: 0}}\n",
         "5: kraken.data_key: sandbox is false but this is the sandbox's"),
        ("kraken:\n  ws_level3_url: wss://ws-l3.kraken.com/v2\n", "2: kraken.ws_level3_url: sandbox is true but"),
        ("root: /\n", "config.yaml:1: unknown key 'root'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_line_and_mend(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "kraken:\n  api_secret: [s3cr3t]\n",
        "kraken:\n  api_secret: s3cr3t\nmonitor:\n  alerts:\n    latency:\n      above_ms: {fast: 1}\n",
        "kraken:\n  api_secret: s3cr3t\nmonitor:\n  alerts:\n    latency:\n      above_ms: {1: 1}\n",
        "kraken: [{api_secret: s3cr3t}]\n",
    ],
)
def test_a_secret_is_not_shown_in_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("s3cr3t\r", "ends in a line break, as from a file with Windows line ends"),
        ("s3cr3t\n", "ends in a line break"),
        ('"s3cr3t"', "has quotes in it"),
        ("'s3cr3t", "has quotes in it"),
        ("s3c r3t", "has a space or line break in it"),
        ("s3cr3t\u200b", "has a character that no key"),
    ],
)
@pytest.mark.parametrize("name", ["api_key", "api_secret", "halt_key", "halt_secret", "data_key", "data_secret"])
def test_a_key_that_is_not_whole_is_refused_and_not_shown(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'kraken:\n  {name}: "${{KEY}}"\n', {"KEY": value})
    assert f"2: kraken.{name}: {said}" in str(caught.value)
    assert "s3c" not in str(caught.value)


def test_a_live_configuration_without_a_halt_key_has_none_and_not_the_sandboxs(tmp_path: Path) -> None:
    loaded = load(tmp_path, LIVE).kraken
    assert (loaded.halt_key, loaded.halt_secret) == ("", "")


def test_the_sandboxs_key_for_single_orders_is_used_where_its_simulator_knows_it(tmp_path: Path) -> None:
    key, secret = SANDBOX_DATA_KEY
    loaded = load(tmp_path, "kraken: {data_key: ''}\n").kraken
    assert (loaded.data_key, loaded.data_secret) == (key, secret)
    assert load(tmp_path, LIVE).kraken.data_key == ""
    other = "simulator:\n  accounts: [{name: maker, keys: [{api_key: K, api_secret: UQ==}], balances: {USD: 1}}]\n"
    assert load(tmp_path, other).kraken.data_key == ""


def test_tokenised_pairs_are_pairs_and_assets_beside_the_traded_ones_are_allowed(tmp_path: Path) -> None:
    loaded = load(tmp_path, "trading:\n  pairs: [AAPLx/USD]\n  inventory_base: {AAPLx: 3, ADA: 5, 1INCH: 1}\n")
    assert loaded.trading.default_pair == "AAPLx/USD"


def test_words_stay_words(tmp_path: Path) -> None:
    loaded = load(tmp_path, "trading:\n  pairs: [ON/USD, NO/USD]\n  inventory_base: {ON: 1, NO: '0250'}\n")
    assert loaded.trading.inventory_base == {"ON": Decimal(1), "NO": Decimal(250)}


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    rows += [
        f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]" for below, name in zip("abcdefg", "bcdefgh", strict=True)
    ]
    with pytest.raises(ConfigError, match="too many to be a configuration"):
        load(tmp_path, "\n".join(rows))


def test_an_ipv6_loopback_is_a_host(tmp_path: Path) -> None:
    loaded = load(tmp_path, 'simulator:\n  host: "::1"\nmonitor:\n  host: "::1"\n')
    assert loaded.kraken.rest_url == "http://[::1]:8180"


def test_variables_are_taken_from_the_environment(tmp_path: Path) -> None:
    loaded = load(tmp_path, 'kraken:\n  api_key: "${KEY}"\n', {"KEY": "abc"})
    assert loaded.kraken.api_key == "abc"


def test_numbers_are_read_as_written(tmp_path: Path) -> None:
    assert load(tmp_path, "trading:\n  min_order_size: 10.1\n").trading.min_order_size == Decimal("10.1")


def test_relative_places_count_from_the_project(tmp_path: Path) -> None:
    assert load(tmp_path, "trading: {}\n").data == tmp_path / "data"


def test_a_named_file_that_is_missing_is_refused_and_so_is_none_for_a_command_that_acts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        config.load(tmp_path / "no.yaml", environ={})
    with pytest.raises(ConfigError):
        config.load(environ={}, required=True)
    assert config.load(environ={}).kraken.sandbox


def test_live_trading_wants_consent_for_the_key(tmp_path: Path) -> None:
    loaded = load(tmp_path, LIVE)
    assert loaded.kraken.rest_url == config.LIVE_REST
    with pytest.raises(ConfigError, match="doctor --go-live"):
        config.require_consent(loaded)
    config.consent_file(loaded).parent.mkdir(parents=True)
    config.consent_file(loaded).touch()
    config.require_consent(loaded)


def test_the_simulator_listens_beyond_loopback_only_when_told_so_and_is_reached_by_loopback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="could trade the made-up accounts"):
        load(tmp_path, "simulator:\n  host: 0.0.0.0\n")
    loaded = load(tmp_path, "simulator:\n  host: 0.0.0.0\n  beyond_loopback: true\n")
    assert loaded.kraken.rest_url == "http://127.0.0.1:8180"

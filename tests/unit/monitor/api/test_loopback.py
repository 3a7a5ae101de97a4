"""Where the monitor's API is asked, and that nothing stands in between."""

from __future__ import annotations

import http.server
import socket
import threading

import msgspec
import pytest

from monitor.api.loopback import OPENER, api, why_unanswered
from shared.config import Config


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1:8181"), ("::1", "http://[::1]:8181")])
def test_the_address_is_one_that_can_be_opened(host: str, url: str) -> None:
    config = Config()
    config.monitor = msgspec.structs.replace(config.monitor, host=host)
    assert api(config) == url


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody listens on discard
    monkeypatch.delenv("no_proxy", raising=False)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with OPENER.open(f"http://127.0.0.1:{server.server_port}/", timeout=5) as answer:
            assert answer.status == 200
        thread.join()


def test_why_an_address_did_not_answer_is_told_in_words() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(OSError) as failed:
            OPENER.open(f"http://127.0.0.1:{held.getsockname()[1]}/", timeout=5)
    assert why_unanswered(failed.value) == "Connection refused"
    assert why_unanswered(TimeoutError("timed out")) == "no answer in time"

"""The monitor's HTTP: ``/health`` for machines that ask yes or no, ``/metrics`` for Prometheus,
``/api/status`` for the whole status object.

Nothing here changes state.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from monitor import metrics

Status = Callable[[], dict[str, Any]]
Page = Callable[[], bytes]


def health(status: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The answer to ``/health``: 200 when every process says ready, else 503 and which do not."""
    waiting = [name for name, process in status["processes"].items() if process["state"] != "ready"]
    body = {
        "healthy": not waiting,
        "not_ready": waiting,
        "halted": status["halted"],
        "processes": {name: process["state"] for name, process in status["processes"].items()},
        "books": {symbol: book["state"] for symbol, book in status["books"].items()},
    }
    return (503 if waiting else 200), body


def application(status: Status, page: Page) -> web.Application:
    """The routes; ``status`` makes the status object of now, ``page`` what Prometheus reads."""

    def answer(body: dict[str, Any], code: int = 200) -> web.Response:
        return web.Response(
            body=msgspec.json.encode(body),
            status=code,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    async def get_health(_request: web.Request) -> web.Response:
        code, body = health(status())
        return answer(body, code)

    async def get_status(_request: web.Request) -> web.Response:
        return answer(status())

    async def get_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=page(), headers={"Content-Type": metrics.CONTENT_TYPE, "Cache-Control": "no-store"})

    app = web.Application()
    app.router.add_get("/health", get_health)
    app.router.add_get("/metrics", get_metrics)
    app.router.add_get("/api/status", get_status)
    return app


def listen(host: str, port: int) -> socket.socket:
    """The listening socket; an OSError when the port is taken."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


async def serve(listening: socket.socket, status: Status, page: Page) -> web.AppRunner:
    """Serves on a listening socket until the runner is cleaned up."""
    runner = web.AppRunner(application(status, page), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return runner

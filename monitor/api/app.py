"""The application: routes, guards, problems as JSON."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.api import guard, metrics, openapi, page, token
from monitor.api.answers import HEADERS, ProblemShown, respond
from monitor.api.controls import Controls
from monitor.api.queries import parse_body, parse_query
from monitor.api.routes import ACTIONS, READS, Action, Read
from monitor.api.site import Site
from monitor.api.stream import Stream
from monitor.errors import Problem
from shared import limits
from shared.process.logs import logger
from shared.version import tradebyte_version


def application(site: Site, controls: Controls, secret: str) -> web.Application:
    """Return the application with every route; what changes state takes the token."""
    app = web.Application(middlewares=[_problems, _guarded(site)], client_max_size=limits.API_BODY_BYTES)
    for read in READS:
        app.router.add_get(read.path, _reader(site, read))
    for action in ACTIONS:
        app.router.add_post(action.path, _actor(site, action, controls, secret))

    async def get_health(_request: web.Request) -> web.Response:
        code, body = site.health()
        return respond(body, code)

    async def get_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=site.metrics(), headers=HEADERS | {"Content-Type": metrics.CONTENT_TYPE})

    described = msgspec.json.encode(openapi.document(tradebyte_version()))

    async def get_description(_request: web.Request) -> web.Response:
        return respond(described)

    async def get_page(_request: web.Request) -> web.Response:
        return web.Response(text=page.text(), content_type="text/html", headers=HEADERS)

    stream = Stream(site)

    async def close_streams(_app: web.Application) -> None:
        await stream.close()

    app.on_shutdown.append(close_streams)
    app.router.add_get("/stream", stream.serve)
    app.router.add_get("/", get_page)
    app.router.add_get("/openapi.json", get_description)
    app.router.add_get("/health", get_health)
    app.router.add_get("/metrics", get_metrics)
    return app


def _reader(site: Site, read: Read) -> Handler:
    async def get(request: web.Request) -> web.Response:
        if read.make is None:
            return respond(site.encoded(read.section))
        return respond(read.make(site, parse_query(read.query, request.query)))

    return get


def _actor(site: Site, action: Action, controls: Controls, secret: str) -> Handler:
    async def post(request: web.Request) -> web.Response:
        guard.require_token(request.headers.get("Authorization"), secret)
        body = parse_body(action.body, await request.read())
        done = await action.run(controls, body)
        site.forget()
        return respond(done)

    return post


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as JSON: what happened, why, and what to do."""
    try:
        return await handler(request)
    except Problem as problem:
        headers = {"WWW-Authenticate": "Bearer"} if problem.code == 401 else {}
        refusal = ProblemShown(error=problem.error, text=problem.why, mend=problem.mend)
        return respond(refusal, problem.code, headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kept = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        word = (error.reason or "refused").lower().replace(" ", "_")
        text = f"{request.method} {request.path[:200]}: {error.text or error.reason}"
        return respond({"error": word, "text": text, "mend": "GET / lists what there is"}, error.status, kept)
    except Exception as error:  # noqa: BLE001 - one request's end, never the monitor's
        logger("monitor").warning("request failed", path=request.path[:200], why=repr(error)[:500])
        text = f"the monitor could not answer: {type(error).__name__}"
        return respond({"error": "failed", "text": text, "mend": "see logs/monitor.log"}, 500)


def _guarded(site: Site) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host")
        guard.require_known_host(host, site.config.monitor.host)
        guard.require_own_origin(request.headers.get("Origin"), host)
        return await handler(request)

    return guarded


def listen(host: str, port: int) -> socket.socket:
    """Return the listening socket. Raises OSError when the port is taken."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


async def serve(listening: socket.socket, site: Site, publish_alert: Callable[[str, str, str], None]) -> web.AppRunner:
    """Serve on a listening socket until the runner is cleaned up; ``publish_alert`` takes level, kind and text."""
    app = application(site, Controls(site.config, publish_alert), token.read_or_create(site.config.run))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return runner

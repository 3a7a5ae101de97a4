"""The API's description (OpenAPI 3.1), made from the routes and the types of what they take and answer."""

from __future__ import annotations

from typing import Any, Final  # Any: JSON Schema

import msgspec

from monitor.api.answers import JSON, ProblemShown
from monitor.api.queries import NoQuery
from monitor.api.routes import ACTIONS, READS, Action, Read
from monitor.api.site import SECTIONS
from monitor.model.status_object import Health

# JSON of a schema that is not ours (OpenAPI, JSON Schema); it is only written.
Json = dict[str, Any]
REF: Final = "#/components/schemas/{name}"
REASONS: Final = {
    400: "the query or the body cannot be read",
    401: "the token is missing or wrong",
    403: "the Host or Origin header is foreign",
    404: "there is nothing of that name",
    409: "not as things are now",
    413: "the body is too large",
    500: "a file could not be written",
    503: "supervisord does not answer, or there is no room for another stream",
    504: "it took too long",
}
STREAM_ABOUT: Final = (
    'A WebSocket. The client may first send {"sections": [...]}, of: ' + ", ".join(SECTIONS) + ". Each section comes "
    "whole as {section, seq, data}, then as {section, seq, merge}: a JSON merge patch (RFC 7396) on what was sent."
)


def document(version: str) -> Json:
    """Return the whole description."""
    kinds: list[object] = [Health, ProblemShown]
    kinds += [kind for read in READS for kind in (read.answer, read.query)]
    kinds += [kind for action in ACTIONS for kind in (action.body, action.answer)]
    refs, components = msgspec.json.schema_components(kinds, ref_template=REF)
    schemas = dict(zip(map(_key, kinds), refs, strict=True))
    paths: Json = {read.path: {"get": _read(read, schemas, components)} for read in READS}
    paths |= {action.path: {"post": _action(action, schemas)} for action in ACTIONS}
    healthy = {"200": _content(JSON, schemas[_key(Health)], "every process is ready")}
    healthy["503"] = _content(JSON, schemas[_key(Health)], "some process is not")
    paths["/health"] = {"get": {"summary": "up or not, for machines", "responses": healthy | _problems(schemas, 403)}}
    for path, about, kind in (
        ("/metrics", "figures for Prometheus", "text/plain"),
        ("/openapi.json", "this description", JSON),
        ("/", "what there is", "text/html"),
    ):
        schema = {"type": "object" if kind == JSON else "string"}
        answers = {"200": _content(kind, schema, about)} | _problems(schemas, 403)
        paths[path] = {"get": {"summary": about, "responses": answers}}
    streamed = {"101": {"description": "the stream begins"}} | _problems(schemas, 400, 403, 503)
    paths["/stream"] = {"get": {"summary": "every change", "description": STREAM_ABOUT, "responses": streamed}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TradeByte's monitor",
            "version": version,
            "description": "Prices, quantities and money are decimal text; *_ts are seconds since the epoch.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _key(kind: object) -> str:
    return repr(kind)


def _read(read: Read, schemas: Json, components: Json) -> Json:
    answers = {"200": _content(JSON, schemas[_key(read.answer)], read.about)}
    if read.query is NoQuery:
        return {"summary": read.about, "responses": answers | _problems(schemas, 403)}
    properties = components[read.query.__name__]["properties"]
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in properties.items()
    ]
    return {
        "summary": read.about,
        "parameters": parameters,
        "responses": answers | _problems(schemas, 400, 403, 404),
    }


def _action(action: Action, schemas: Json) -> Json:
    required = any(field.required for field in msgspec.structs.fields(action.body))
    body = {"required": required, "content": {JSON: {"schema": schemas[_key(action.body)]}}}
    answers = {"200": _content(JSON, schemas[_key(action.answer)], "done")}
    return {
        "summary": action.about,
        "security": [{"token": []}],
        "requestBody": body,
        "responses": answers | _problems(schemas, 400, 401, 403, 409, 413, 500, *action.refusals),
    }


def _content(kind: str, schema: Json, about: str) -> Json:
    return {"description": about, "content": {kind: {"schema": schema}}}


def _problems(schemas: Json, *codes: int) -> Json:
    return {str(code): _content(JSON, schemas[_key(ProblemShown)], REASONS[code]) for code in sorted(codes)}

"""The page at ``/``: what there is, for a person who typed the address."""

from __future__ import annotations

from html import escape

from monitor.api.routes import ACTIONS, READS

_OTHERS = (
    ("/health", "up or not, for machines"),
    ("/metrics", "figures for Prometheus"),
    ("/openapi.json", "the description of all this"),
)

_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>TradeByte's monitor</title>
<meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 44rem; padding: 0 1rem }
td { padding: .1rem 1rem .1rem 0; vertical-align: top }
td:first-child { white-space: nowrap }
</style>
<h1>TradeByte's monitor</h1>
<p>For programs. People have <code>tradebyte web</code> and <code>tradebyte status</code>.
"""


def text() -> str:
    """Return the page as HTML."""
    reads = [(read.path, read.about) for read in READS]
    rows = [f'<tr><td><a href="{path}">{path}</a><td>{escape(about)}' for path, about in (*_OTHERS, *reads)]
    rows.append("<tr><td>/stream<td>a WebSocket: every change")
    rows += [
        f"<tr><td>POST {action.path}<td>{escape(action.about)}; takes the token in run/api-token" for action in ACTIONS
    ]
    return f"{_HEAD}<table>{''.join(rows)}</table>\n"

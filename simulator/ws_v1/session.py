"""A WebSocket version 1 session without its channels: the envelope of events (KRAKEN.md 2)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from simulator import errors
from simulator.errors import KrakenError
from simulator.session import Request, Session
from simulator.wire import Fields, Written

VERSION = "1.9.6"


class SessionV1(Session):
    """One connection that speaks version 1."""

    def status(self) -> str:
        """Return the ``systemStatus`` message."""
        return (
            f'{{"connectionID":{self.connection_id},"event":"systemStatus",'
            f'"status":"{self.world.exchange.state.system}","version":"{VERSION}"}}'
        )

    def heartbeat(self) -> str:
        """Return the second's sign of life."""
        return '{"event":"heartbeat"}'

    def read(self, text: str, arrived: int) -> Request:
        """Read a frame; never raises. The request's params are the whole message."""
        try:
            message = self.message(text, arrived)
        except KrakenError as refusal:
            return Request("", {}, None, arrived, str(refusal))
        event, reqid = message.get("event"), message.get("reqid")
        number = self._echoed(reqid)
        if not isinstance(event, str) or not 0 < len(event) <= 64:
            return Request("", message, number, arrived, errors.MALFORMED)
        return Request(event, message, number, arrived)

    def _echoed(self, reqid: object) -> int | str | None:
        """Return what the answer repeats of a request's ``reqid``: a number, or a short text."""
        if isinstance(reqid, str) and self._unconfirmed.v1_text_reqid == "echoed":
            return reqid[:64]
        is_number = isinstance(reqid, int) and not isinstance(reqid, bool) and abs(reqid) < 2**63
        return reqid if is_number and isinstance(reqid, int) else None

    def refuse(self, request: Request, error: str, now: int, **extra: str) -> None:  # noqa: ARG002
        """Send an error that concerns the whole request."""
        self.event({"errorMessage": error, "event": "error", **reqid(request)})

    def pong(self, request: Request, now: int) -> None:  # noqa: ARG002
        """Answer a ping."""
        self.event({"event": "pong", **reqid(request)})

    def refuse_subscription(self, request: Request, error: str, name: str | None, subscription: Fields) -> None:
        """Send an error that concerns a subscription; ``name`` is its pair, if it has one."""
        echoed = {
            str(member)[:64]: value
            for member, value in list(subscription.items())[:8]
            if (isinstance(value, str) and len(value) <= 64) or (isinstance(value, bool | int) and abs(value) < 2**63)
        }
        self.event(
            {
                "errorMessage": error,
                "event": "subscriptionStatus",
                **({} if name is None else {"pair": name}),
                **reqid(request),
                "status": "error",
                "subscription": echoed,
            }
        )

    def event(self, members: Mapping[str, Written]) -> None:
        """Answer with an event."""
        self.reply(json.dumps(members, separators=(",", ":")))


def reqid(request: Request) -> dict[str, int | str]:
    return {} if request.req_id is None else {"reqid": request.req_id}

"""Halt and resume: the switch is a file, written here and obeyed by the executor (T10).

Nothing here relies on any process of ours: the file is written, the bus watched for the executor's answer, and
without one every order is cancelled by REST with the key that may only cancel, or it is said what remains until when.
"""

from __future__ import annotations

import getpass
import os
import socket
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from monitor.control.journal_orders import Journal
from monitor.errors import CancelFailed
from monitor.model import halted, status_details
from monitor.model.listener import Listener
from monitor.model.view import View
from shared import halt as switch, limits, pausing
from shared.clock import SECOND, boot_ns, rfc3339, wall_ns
from shared.config import Config
from shared.messages import ProcessState
from shared.process import starts

ANSWER_S: Final = 0.5
# An executor that was halted before has nothing new to say until its next heartbeat.
ANSWER_AGAIN_S: Final = 1.2
# The executor learns of orders cancelled by REST from its private stream.
SETTLE_S: Final = 1.0


class Way(StrEnum):
    """The way that a halt took: the executor pulled, REST cancelled, or only the dead man's switch is left."""

    EXECUTOR = "executor"
    REST = "rest"
    SWITCH = "switch"


class HaltResult(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``halt --json`` prints; ``open_orders`` is null where it is not known.

    By REST it has ``cancelled`` and ``whole_account``; with only the switch left, ``until`` and ``error``.
    """

    halted: bool
    open_orders: int | None
    how: Way
    why: str
    cancelled: int | msgspec.UnsetType = msgspec.UNSET
    whole_account: bool | msgspec.UnsetType = msgspec.UNSET
    until: str | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET


def halt(config: Config, reason: str) -> HaltResult:
    """Pull every order of ours; nothing is placed until :func:`resume`."""
    was = halted.text(config)
    with Listener(config, ("heartbeat.executor", "order")) as listener:
        # A heartbeat from before the halt must not count as the answer to it.
        begun = wall_ns()
        why = switch.Halt(switch.Cause.PERSON, reason, _who(), rfc3339(begun))
        switch.halt_trading(config.halt_file, why)
        journal = Journal(config)
        try:
            answered = listener.until(
                lambda view: is_done(view, 0 if was else begun), ANSWER_AGAIN_S if was is not None else ANSWER_S
            )
            return _result(config, listener.view, Way.EXECUTOR) if answered else _by_rest(config, listener, journal)
        finally:
            journal.close()


def describe(result: HaltResult) -> str:
    """Return what :func:`halt` did, in words."""
    if result.how is Way.EXECUTOR:
        return "halted: the executor has pulled everything, nothing of ours is open"
    if result.how is Way.REST:
        which = (
            "every order on the account, since neither journal nor executor said which are ours:"
            if result.whole_account
            else "our orders:"
        )
        count = result.cancelled
        return f"halted: the executor did not answer in time; by the halt key Kraken cancelled {which} {count}"
    left = result.open_orders
    what = "orders may be open" if left is None else f"{left} orders were open when last heard of"
    return (
        f"halted, and nothing new is placed, but {what}: the executor did not answer, and cancelling with "
        f"kraken.halt_key failed ({result.error}). Kraken's dead man's switch pulls them by {result.until} if it "
        "was armed; look at them on Kraken's own site."
    )


def pause(config: Config, name: str, reason: str) -> bool:
    """Pause a pair or a strategy; True once the executor has said that it did. Raises :class:`UnknownName`."""
    with Listener(config, ("heartbeat.executor",)) as listener:
        pausing.pause(config, name, f"{rfc3339(wall_ns())} by {_who()}: {reason}")
        return listener.until(lambda view: name in status_details.paused(view), ANSWER_AGAIN_S)


def resume(config: Config) -> str | None:
    """End a halt; return why it was halted, None when it was not.

    Failed starts from before count no more: what was a crash loop has been mended, or shows itself anew.
    """
    was = halted.text(config)
    for name in config.process_names:
        starts.forget_failures(config.run, name)
    switch.resume(config.flatten_file)  # a flatten that was halted is not taken up again
    switch.resume(config.halt_file)
    return was


def is_done(view: View, since_ts: int) -> bool:
    """True if the executor has said, after ``since_ts``, that it is halted and that nothing is open."""
    heard = view.heartbeats.get("executor")
    return (
        heard is not None
        and heard.beat.ts >= since_ts
        and heard.beat.state is ProcessState.HALTED
        and view.orders_published
        and view.open_orders == 0
    )


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return f"uid {os.getuid()}@{socket.gethostname()}"


def _by_rest(config: Config, listener: Listener, journal: Journal) -> HaltResult:
    """Cancel what is ours with the cancel-only key, since the executor did not answer."""
    # Imported only now: the halt file must not wait for an HTTP client to load.
    from monitor.control import cancelling

    until = rfc3339(wall_ns() + limits.SWITCH_TIMEOUT_S * SECOND)
    try:
        done = cancelling.cancel(config, cancelling.ours(journal.orders(), listener.view))
    except CancelFailed as error:
        if listener.until(lambda view: is_done(view, 0), SETTLE_S):
            return _result(config, listener.view, Way.EXECUTOR)
        return replace(_result(config, listener.view, Way.SWITCH), until=until, error=str(error))
    # What the executor says may be older than the cancel; Kraken's own count is the evidence.
    result = _result(config, listener.view, Way.REST)
    return replace(result, open_orders=0, cancelled=done.count, whole_account=done.is_whole_account)


def _result(config: Config, view: View, how: Way) -> HaltResult:
    """Return what is known; ``open_orders`` is null where nobody has said."""
    open_orders = view.open_orders if view.orders_known(boot_ns()) else None
    return HaltResult(halted=True, open_orders=open_orders, how=how, why=halted.text(config) or "")

"""Forwards the bus to readers off the trading path: one subscription a topic, last values kept, the same bytes."""

from __future__ import annotations

import os
import sys
import time

import zmq

from relay.core import Relay
from shared import limits
from shared.clock import boot_ns
from shared.config.schema import RELAY
from shared.messages import ProcessState
from shared.process.command_line import EXIT_ASKED, load_config, parser, refuse
from shared.process.loop import Process

# Trading processes come first when both need the processor.
NICENESS = 10
TURN_MS = 200


class Shell:
    """Wires the relay's core to the publishers on one side and the readers on the other."""

    def __init__(self, process: Process, relay: Relay) -> None:
        self.process, self.relay = process, relay
        process.publisher.on_subscriptions = self.on_subscriptions
        process.lingers_s = limits.RELAY_LINGER_S

    def on_subscriptions(self, changes: list[bytes]) -> None:
        """Subscribe at the publishers to what is newly wanted; give new readers the state, and a sign of life."""
        upstream, state = self.relay.subscriptions(changes)
        for change in upstream:
            option = zmq.SUBSCRIBE if change.begins else zmq.UNSUBSCRIBE
            self.process.subscriber.socket.setsockopt(option, change.prefix)
        for frames in state:
            self.process.publisher.forward(frames)
        self.process.beat_soon()

    def read(self) -> None:
        """Forward what is queued, then let more gather: readers are woken for many messages at once."""
        socket, publisher = self.process.subscriber.socket, self.process.publisher
        now = boot_ns()
        for _ in range(limits.BUS_DRAIN_MESSAGES):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            publisher.forward(frames)
            self.relay.message(frames, now)
        self.process.subscriber.counters.messages = self.relay.forwarded
        time.sleep(limits.RELAY_TOGETHER_S)

    def on_turn(self, now: int) -> None:
        """Count the relay's topics and forwarded messages, and report the process's state."""
        self.relay.turn(now)
        if not self.process.stopping:
            self.process.state(ProcessState.READY)
        self.process.details.update(topics=len(self.relay.wanted), forwarded=self.relay.forwarded, kept=self.relay.kept)


def main() -> None:
    """Run until asked to stop; exit 0 at once where the configuration has no relay."""
    options = parser(RELAY, __doc__ or "").parse_args()
    configuration = load_config(RELAY, options.config)
    if configuration.relay is None:
        refuse(EXIT_ASKED, RELAY, "bus.relay is not configured: readers connect to the publishers")
    if sys.platform == "linux":
        os.nice(NICENESS)
    shell = Shell(Process(RELAY, configuration, [], is_needed_for_trading=False), Relay())
    shell.process.run_reading(shell.read, shell.on_turn, TURN_MS)


if __name__ == "__main__":
    main()

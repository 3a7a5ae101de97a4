"""The switches that people set: halt, flatten, pause, stop. Written by the shell from files and signals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Controls:
    """The switches as last read; ``paused`` names pairs and strategies."""

    halted: bool = False
    flattening: bool = False
    paused: frozenset[str] = frozenset()
    stopping: bool = False

    def read(self, *, halted: bool, flattening: bool, paused: frozenset[str]) -> None:
        """Set the switches from their files."""
        self.halted, self.flattening, self.paused = halted, flattening, paused

    def halt(self) -> None:
        """Halt at once; the file is written afterwards."""
        self.halted = True

    def stop(self) -> None:
        """Begin to stop: everything is pulled."""
        self.stopping = True

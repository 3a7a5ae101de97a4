"""Errors of the collector's rooms; the text of each says what is wrong and what to do::

CollectorError
+-- UnreadableRecording       a path holds no recording
+-- DiskFull                  recording must stop, as the disk has too little room
"""

from __future__ import annotations


class CollectorError(Exception):
    """The root of this tree."""


class UnreadableRecording(CollectorError):
    """A path holds no recording; the text says why."""


class DiskFull(CollectorError):
    """Recording must stop, as the disk has too little room; the text says why."""

"""Errors of the room; the text of each says what is wrong and what to do::

BacktestError
+-- DataError             market data cannot be read
"""

from __future__ import annotations


class BacktestError(Exception):
    """The root of this tree."""


class DataError(BacktestError):
    """Market data cannot be read; the text names the file and the mend."""

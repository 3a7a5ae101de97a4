"""Errors of the executor's rooms; the text of each says what is wrong and what to do::

ExecutorError
+-- JournalError              the journal cannot be used
|   +-- JournalUnavailable    it cannot be used for now: a full disk, a lock; trying again later may help
+-- OrderNotFound             no order matches, or more than one
+-- LiveCheckError            the live check cannot go on
"""

from __future__ import annotations


class ExecutorError(Exception):
    """The root of this tree."""


class JournalError(ExecutorError):
    """The journal cannot be used; the text says why and what to do."""


class JournalUnavailable(JournalError):
    """The journal cannot be used for now: a full disk, a lock. Trying again later may help."""


class OrderNotFound(ExecutorError):
    """No order matches, or more than one; the text says what to do."""


class LiveCheckError(ExecutorError):
    """The check cannot go on; the text says why and what to do."""

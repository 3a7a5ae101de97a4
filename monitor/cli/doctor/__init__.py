"""Checks of ``tradebyte doctor``, one concept a file: answers go in, findings come out."""

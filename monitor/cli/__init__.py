"""The commands of ``tradebyte``, one concept a file."""

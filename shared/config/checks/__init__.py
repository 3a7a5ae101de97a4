"""Checks beyond the configuration's types, one concept a file."""

"""Checks beyond the configuration's types, a file for each concept."""

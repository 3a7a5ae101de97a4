"""The exact engine: the live cores in virtual time, against the venue."""

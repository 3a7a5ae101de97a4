"""The shell of every process: its loop, locks, starts, logs and command line."""

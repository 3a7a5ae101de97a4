"""The fast engine: a strategy against the recorded queues, without the executor."""

"""The exchange as a backtest has it: queues, latency, requests."""

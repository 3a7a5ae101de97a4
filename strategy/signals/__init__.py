"""Streaming estimators of the market and of own fills: numbers and times in, a value out, constant memory each.

Times are ns of CLOCK_BOOTTIME, half-lives are in s. Signals are floats and no money: a model rounds at its end.
"""

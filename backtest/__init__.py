"""Find out what a strategy earns: market data in columns, the venue model, two engines, reports, calibration, sweeps.

It composes the cores of the other rooms in virtual time; nothing imports it.
"""

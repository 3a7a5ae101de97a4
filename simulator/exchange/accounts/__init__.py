"""What accounts hold and what fills do to it: ledger entries, fees, margin positions, Earn, 30-day volume."""

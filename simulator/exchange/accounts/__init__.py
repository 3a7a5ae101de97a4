"""Holdings of accounts and what fills do to them: ledger entries, fees, margin positions, Earn, 30-day volume."""

"""Money: balances, fills, positions, profit and the day's loss."""

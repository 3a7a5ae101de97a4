"""Every model in every regime of the synthetic market: the table of the strategies' page."""

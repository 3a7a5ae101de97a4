"""Measure the market by MARKET.md, and fit it to recordings: figures, intervals, pages."""

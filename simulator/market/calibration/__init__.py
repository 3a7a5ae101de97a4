"""Measures the market by MARKET.md, and fits it to recordings: figures, intervals, pages."""

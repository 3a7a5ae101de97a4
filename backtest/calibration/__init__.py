"""Figures that models take from data: the arrivals of trades by depth, and the volatility of the mid."""

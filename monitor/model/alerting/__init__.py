"""Alerts of what holds for long: the conditions that hold now, and when each is alerted, repeated and over."""

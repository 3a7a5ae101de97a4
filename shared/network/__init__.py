"""Hosts, proxies, and what goes wrong on the way to them."""

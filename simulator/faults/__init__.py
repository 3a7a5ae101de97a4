"""Faults on purpose: rules by seed or HTTP, faults that happen at once, the mix of a first day."""

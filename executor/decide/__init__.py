"""Deciding: what targets ask for, and what limits, budget and gates let through."""

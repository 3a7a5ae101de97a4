"""The market makers, a model a module, and what they share; docs/strategies.md says which one to choose."""

"""The public feed: one connection, its subscriptions, the listed pairs, and the frames of both versions."""

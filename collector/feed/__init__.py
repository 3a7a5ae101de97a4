"""The public feed: one connection, its subscriptions, what is listed, and the frames of both versions."""

"""A recorded live run beside the exact engine's, in the same market without our orders."""

"""From a frame at the socket to an order's bytes: this platform beside a plain chain of the same libraries."""

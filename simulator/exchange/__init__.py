"""The exchange itself: accounts, orders from request to end, margin, Earn, limits. No socket, no clock."""

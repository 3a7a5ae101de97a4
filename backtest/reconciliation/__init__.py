"""What the live system did, beside what the exact engine does in the same market without our orders."""

"""Reading the journal for people: fills, and why an order did what it did."""

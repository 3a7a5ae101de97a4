"""What the bus says now and said before, as the sections that people look at."""

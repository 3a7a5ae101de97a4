"""Where the flow of orders comes from: a seeded crowd, a recording, or a flood."""

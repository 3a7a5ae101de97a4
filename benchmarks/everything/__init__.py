"""All of Kraken at once through collector and book."""

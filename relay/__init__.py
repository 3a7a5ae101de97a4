"""The relay: readers off the trading path hear it, and cost the trading processes one subscriber in all."""

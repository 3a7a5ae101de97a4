"""The session with the exchange: requests, responses, reports, snapshots, backfill and the dead man's switch."""

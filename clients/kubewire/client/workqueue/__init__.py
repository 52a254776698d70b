"""Queues of keys that need a look, in layers: `queue` (each key once), `delay` (later), `retry` (not too often)."""

"""Sending a stored record again: plan, send, follow, audit. A replay is the same."""

"""The flow list."""

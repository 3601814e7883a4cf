"""Sagas: the list, one instance's timeline, and the definitions that people declare."""

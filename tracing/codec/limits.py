"""Bounds on what strangers may make us build."""

MAX_DEPTH = 64

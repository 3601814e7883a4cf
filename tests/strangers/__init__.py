"""Producers that know nothing of eventviz, and some that mean harm."""

"""Unit tests of the sample shop."""

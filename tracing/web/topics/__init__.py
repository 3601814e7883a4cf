"""The topics: how far we are, and what is missing."""

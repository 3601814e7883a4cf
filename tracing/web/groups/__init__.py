"""The users' own consumer groups."""

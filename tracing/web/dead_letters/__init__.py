"""The dead letters: groups, their messages, and what waits in retry topics."""

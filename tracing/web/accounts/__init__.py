"""Sign-in, and the health page."""

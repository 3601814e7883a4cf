"""Wait for an event: `GET /api/wait` answers as soon as one of several is stored."""

"""Real servers for the tests: each starts on a free loopback port and is ended by its process id."""

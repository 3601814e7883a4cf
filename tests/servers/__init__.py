"""Real servers for tests: each on a free loopback port, ended by its process id."""

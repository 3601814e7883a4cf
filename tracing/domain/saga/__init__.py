"""Business transactions over several services: what they are declared to be, and what they did."""

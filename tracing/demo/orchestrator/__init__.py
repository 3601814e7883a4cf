"""The Order Saga Orchestrator: one that knows the whole way, and asks each service for its part."""

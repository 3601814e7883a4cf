"""Schema registries: what records name by an id is fetched here once, never while ingesting."""

"""The page of one flow: its graph, and what is known of each event."""

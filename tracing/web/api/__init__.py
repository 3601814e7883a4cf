"""JSON for scripts: flows, events, and a websocket that follows them."""

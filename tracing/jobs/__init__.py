"""Time-driven small steps: `manage.py work` runs them, any number of processes share them."""

"""What is read from each topic, and mappings to try."""

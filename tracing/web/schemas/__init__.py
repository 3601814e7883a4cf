"""Schemas: subjects, their versions side by side, registering, levels, deleting."""

"""Retries and replays: plan, runs, their progress; and the audit."""

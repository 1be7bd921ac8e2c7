"""Clips, runs, edits and documents in the database, one table per file."""

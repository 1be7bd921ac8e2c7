"""2D pose and box files, one format per file."""

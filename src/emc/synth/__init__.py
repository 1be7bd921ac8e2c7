"""Synthetic clips: people rendered from motion that the package makes, with exact labels."""

"""What a finished study says: tables, mixed model, figure and page."""

from emc.study.analysis.outcome import HTML, write_outcome

__all__ = ["HTML", "write_outcome"]

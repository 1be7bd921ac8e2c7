"""Who is found twice: persons of a run that are one and the same, by boxes and poses over time."""

from emc.stages.persons.doubles import Overlap, PersonPairs

__all__ = ["Overlap", "PersonPairs"]

"""Who is who in a run: persons found twice, and whom of the run before each of them is."""

from emc.stages.persons.doubles import Overlap, PersonPairs
from emc.stages.persons.numbers import kept_numbers

__all__ = ["Overlap", "PersonPairs", "kept_numbers"]

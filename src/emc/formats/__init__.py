"""Foreign file formats, one file each: foreign files in, records out, and back."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["Format"]


@runtime_checkable
class Format(Protocol):
    """What every format says of itself; `read` and `write` take a path and records of the kind it `holds`."""

    @property
    def name(self) -> str:
        """Name on the command line, such as ``coco``."""
        ...

    @property
    def holds(self) -> str:
        """What a file of it holds: ``labels``, ``predictions`` or ``boxes``."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Suffixes that it reads, empty where it only writes."""
        ...

    @property
    def writes(self) -> tuple[str, ...]:
        """Suffixes that it writes, empty where it only reads."""
        ...

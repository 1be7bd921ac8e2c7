"""An import-linter contract: a room is entered by its door.

A *room* is a package of ``emc`` with a subject of its own: what others may use is what its ``__init__`` exports, and
nobody outside imports the modules below it. A *shelf* is a folder whose files are a subject each (``stages``,
``formats.poses``): its files and rooms are imported by name. Imports for types and inside functions count too.
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def room_of(module: str, importer: str, rooms: frozenset[str]) -> str | None:
    """Return the outermost room that holds `module` below its door and does not hold `importer`; None where none."""
    parts = module.split(".")
    for length in range(2, len(parts)):
        room = ".".join(parts[:length])
        if room in rooms and importer != room and not importer.startswith(room + "."):
            return room
    return None


class RoomsContract(Contract):
    """Forbid imports that go past a room's door; `shelves` are the packages that are no room."""

    shelves = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every import between modules of the package."""
        ours = {module for module in graph.modules if module.split(".")[0] == "emc"}
        rooms = frozenset(module for module in ours if graph.find_children(module)) - set(self.shelves)  # type: ignore[arg-type]
        past = [
            (importer, imported, room)
            for importer in sorted(ours)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported in ours and (room := room_of(imported, importer, rooms)) is not None
        ]
        unknown = sorted(set(self.shelves) - ours)  # type: ignore[arg-type]
        return ContractCheck(kept=not past and not unknown, metadata={"past": past, "unknown": unknown})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that goes past a door."""
        for importer, imported, room in check.metadata["past"]:
            output.print_error(f"{importer} imports {imported}: import it from {room}, or export it there")
        for shelf in check.metadata["unknown"]:
            output.print_error(f"shelf {shelf} does not exist")

"""Whose motion a report is about and who did the work: rendered people and simulated corrections are named as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emc.stages.report.wording import duration

Document = Mapping[str, Any]


def whose(data: Document, role: str) -> str:
    """Return in words whose poses a population holds; ``your motion`` only where no clip of it is rendered."""
    share = _rendered(data, role)
    plain, rendered = {
        "target": ("your motion", "rendered people"),
        "common": ("everyday poses", "everyday poses of rendered people"),
    }[role]
    if share <= 0:
        return plain
    return rendered if share >= 1 else f"{plain}, {100 * share:.0f} % of the clips rendered"


def rendered_note(data: Document) -> str:
    """Return the sentence that says which populations are rendered, "" where none is."""
    shares = {role: _rendered(data, role) for role in ("target", "common")}
    whole = [role for role, share in shares.items() if share >= 1]
    if len(whole) == 2:
        return "All people here are rendered by EMC: the figures say nothing yet about your own footage."
    partly = [f"{100 * share:.0f} % of the {role} clips" for role, share in shares.items() if 0 < share < 1]
    said = [*(f"the people of the {role} data" for role in whole), *partly]
    if not said:
        return ""
    text = " and ".join(said)
    return f"{text[:1].upper()}{text[1:]} are rendered by EMC, not filmed."


def _rendered(data: Document, role: str) -> float:
    counts: Document = data.get(role) or {}
    return float(counts.get("rendered") or 0.0)


def people_line(data: Document) -> str:
    """Return one line for a terminal: whose poses both populations hold."""
    roles = [role for role in ("target", "common") if data.get(role)]
    return "; ".join(f"{role}: {whose(data, role)}" for role in roles)


def how(effort: Document) -> str:
    """Return ``recorded``, ``simulated`` or ``partly simulated``."""
    return effort.get("how") or ("simulated" if effort.get("simulated") else "recorded")


def corrections_note(effort: Document | None) -> str:
    """Return what stands behind the word corrected, "" where people corrected."""
    return f" ({how(effort)})" if effort and how(effort) != "recorded" else ""


def effort_tiles(effort: Document) -> list[tuple[str, str, str, str]]:
    """Return (name, value, unit, note) of each figure of the effort; simulated ones say so in their name."""
    kind = how(effort)
    mark = "" if kind == "recorded" else f", {kind}"
    done: Document = effort.get("recorded") or {}
    notes = {
        "recorded": ("in the editor", "idle time left out", "by hand or by propagation"),
        "simulated": ("by a program, not in the editor", "keystroke-level model; nobody was timed", "given as labels"),
        "partly simulated": (
            f"{done.get('actions', 0)} of them in the editor",
            f"{duration(done.get('seconds', 0.0))} of it in the editor, the rest by the keystroke-level model",
            f"{done.get('joints_changed', 0)} of them in the editor",
        ),
    }[kind]
    joints = effort["joints_changed"]
    tiles: list[tuple[str, str, str, str]] = []
    if effort["actions"]:
        tiles = [
            (f"Actions{mark}", str(effort["actions"]), "", notes[0]),
            (f"Time{mark}", duration(effort["seconds"]), "", notes[1]),
            (f"Joints changed{mark}", str(joints), "", notes[2]),
        ]
    if effort["actions"] and joints:
        tiles.append((f"Per joint{mark}", f"{effort['seconds'] / joints:.2f}", "s", "time / joints changed"))
    if effort.get("joints_imported"):
        tiles.append(
            ("Joints imported", str(effort["joints_imported"]), "", "labels from a file; their time is unknown")
        )
    return tiles


def effort_line(effort: Document) -> str:
    """Return one line for a terminal: the effort, and whether anybody really spent it."""
    kind = how(effort)
    done: Document = effort.get("recorded") or {}
    figures = f"{effort['actions']} actions, {duration(effort['seconds'])}, {effort['joints_changed']} joints changed"
    said = {
        "recorded": "in the editor, idle time left out",
        "simulated": "simulated: a program gave the labels, nobody was timed",
        "partly simulated": f"partly simulated: {done.get('actions', 0)} actions and "
        f"{duration(done.get('seconds', 0.0))} of it in the editor",
    }[kind]
    imported = effort.get("joints_imported")
    parts = [f"{figures} ({said})"] if effort["actions"] else []
    parts += [f"{imported} joints imported, their time unknown"] if imported else []
    return f"effort: {'; '.join(parts) or 'none is recorded'}"

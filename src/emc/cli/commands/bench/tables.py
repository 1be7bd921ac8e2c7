"""How `emc bench lift` and `emc bench noise` show their figures to people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emc.cli.figures import percent, plain, removed

if TYPE_CHECKING:
    from rich.console import Console

CONDITIONS = {"exact": "exact 2D", "before": "before", "after": "after"}


def print_lspe(console: Console, document: Mapping[str, Any]) -> None:
    """Print one table of all models, and in words what calibration changed."""
    from rich.table import Table

    # Rendered people are not photos: the document says which of the two it measured.
    people = document.get("people", "photos")
    title = f"{document['seeds']} seeds; right joints in %, {people}, with 95 % intervals over them"
    table = Table(title=title, title_justify="left")
    for name in ("model", "data", "PCKh legs", "PCKh arms", "PCKh total", "PCK@0.2 total", "steps", "minutes"):
        table.add_column(name, justify="left" if name in ("model", "data") else "right")
    for name, model in document["models"].items():
        for role in ("target", "common"):
            cells = [interval(model[role]["pckh"][part]) for part in ("leg", "arm", "total")]
            first = role == "target"
            spent = (str(model["steps"]), f"{model['minutes']:.1f}") if first and model["steps"] else ("", "")
            table.add_row(name if first else "", role, *cells, interval(model[role]["pck"]["total"]), *spent)
    console.print(table)
    for pair, change in document["changes"].items():
        legs, every, common = (
            change["target"]["leg"]["removed"],
            change["target"]["total"]["removed"],
            change["common"]["total"]["change"],
        )
        before = document["models"][pair.partition(" -> ")[0]]["target"]["pckh"]
        told = (_removed(legs, before["leg"]), _removed(every, before["total"]))
        console.print(
            f"{pair}: target leg errors removed {told[0]}, all {told[1]}; common total {interval(common, 1)} points"
        )
    for choice in document["models"].get("calibration", {}).get("choices", []):
        used = choice["rotations"]
        console.print(
            f"chosen: {choice['why']}; rotations: {used['taken']}, {used['why']} (the scores above are of test persons)"
        )


def interval(figure: Mapping[str, Any], factor: float = 100) -> str:
    """Return a figure with its 95 % interval, times `factor`; a dash where it is undefined, words where of too few."""
    from emc.pose.metrics import too_few

    if figure["value"] is None:
        return "-"
    if too_few(figure):
        return f"too few joints ({figure['n']})"
    value = f"{factor * figure['value']:.1f}"
    if not figure["ci95"]:
        return value
    low, high = figure["ci95"]
    return f"{value} ({factor * low:.1f} to {factor * high:.1f})"


def _removed(figure: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    few = removed(figure, before)
    return few if few.startswith("too few") else f"{interval(figure)} %"


def print_lift(console: Console, document: Mapping[str, Any]) -> None:
    """Print one table per population, and the change by calibration in words."""
    from rich.table import Table

    for kind, part in document["populations"].items():
        title = f"{kind}: {len(part['clips'])} clips, {part['frames']} frames; mm with 95 % intervals over clips"
        table = Table(title=title, title_justify="left")
        for name in ("variant", "2D", "MPJPE", "P-MPJPE", "N-MPJPE", "MPJVE", "PCK3D, %"):
            table.add_column(name, justify="left" if name in ("variant", "2D") else "right")
        for variant, rows in part["variants"].items():
            for when, words in CONDITIONS.items():
                row = rows[when]
                cells = (plain(row[name]) for name in ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve"))
                table.add_row(variant, words, *cells, percent(row["pck3d"], "frames"))
        console.print(table)
        change = part["variants"]["plain"]["change"]
        console.print(
            f"{kind}, after calibration: MPJPE {plain(change['mpjpe'])} mm, P-MPJPE {plain(change['p_mpjpe'])} mm, "
            f"knee {plain(change['angle_knee'])} degrees (negative = fewer)"
        )


def print_h36m(console: Console, document: Mapping[str, Any]) -> None:
    """Print the figure of each action and their means."""
    from rich.table import Table

    table = Table(title=f"Human3.6M, {document['keypoints']}, {', '.join(document['subjects'])}; mm")
    names = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve")
    for name in ("action", *names):
        table.add_column(name, justify="left" if name == "action" else "right")
    rows = {**document["scores"]["per_action"], "mean": document["scores"]["action_mean"]}
    for action, row in rows.items():
        table.add_row(action, *(f"{row[name]:.1f}" for name in names))
    console.print(table)


def print_noise(console: Console, document: Mapping[str, Any], out: Path | None) -> None:
    """Print in words how the model errs, and where that was written."""
    for kind, row in document["summary"].items():
        console.print(
            f"{kind}: mean error {row['mean_mm']} mm, median {row['median_mm']} mm (of a person of 1.70 m); "
            f"{100 * row['beyond_200_mm']:.1f} % of joints beyond 200 mm, sides swapped on "
            f"{100 * row['swapped_frames']:.1f} % of frames, {100 * row['dropped_joints']:.1f} % of joints dropped"
        )
    if out is not None:
        console.print(f"-> {out}")

"""From logs to figures: quality over time, ratios, intervals over clips; see ergonomics.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from clips import MadeClip

from emc.study.scripted.actions import Action, read_log
from emc.study.scripted.correction_curve import Curve, curve_of, summary_of
from emc.study.scripted.klm import LABEL, Rules, by_step, read_rules, sensitivity

REFERENCE = "full"
BASELINES = ("type_all", "click_all", "drag_flagged")
CURVE_POINTS = 40


def document_of(
    clips: Sequence[MadeClip], names: Sequence[str], out: Path, edits_of: Callable[[Path], list[Any]]
) -> dict[str, Any]:
    """Return all figures, by population (kicks or photos, and the model)."""
    rules = read_rules()
    populations: dict[str, list[dict[str, Any]]] = {}
    for clip in clips:
        kind = "photos" if clip.spec.kind == "photos" else "kicks"
        rows = rows_of(clip, names, out, rules, edits_of)
        populations.setdefault(f"{kind}/{Path(clip.spec.model).stem}", []).append(rows)
    told = {name: population(rows, rules) for name, rows in populations.items()}
    main = told.get("kicks/nano") or next(iter(told.values()))
    return {"label": LABEL, "rules_frozen": rules.frozen, "summary": summary(main), "populations": told}


def rows_of(
    clip: MadeClip, names: Sequence[str], out: Path, rules: Rules, edits_of: Callable[[Path], list[Any]]
) -> dict[str, tuple[list[Action], Curve, dict[str, float]]]:
    rows: dict[str, tuple[list[Action], Curve, dict[str, float]]] = {}
    for name in names:
        folder = out / "runs" / clip.spec.name / name
        if not (folder / "log.jsonl").is_file():
            continue
        actions = read_log(folder / "log.jsonl")
        curve = curve_of(clip.truth, clip.start, actions, edits_of(folder), rules.model)
        rows[name] = (actions, curve, summary_of(clip.truth, clip.start, actions, curve))
        if name == "click_all":
            typed = [as_typed(action) for action in actions]
            curve = curve_of(clip.truth, clip.start, typed, edits_of(folder), rules.model)
            rows["type_all"] = (typed, curve, summary_of(clip.truth, clip.start, typed, curve))
    return rows


def as_typed(action: Action) -> Action:
    """Return a click as typing: hand to the mouse, point to read the place, hand to the keys, eight keystrokes."""
    if action.kind != "click":
        return action
    return Action("type", action.frame, action.joint, 8, 0, 2, 0, action.moves, action.stores, action.corrects)


def population(rows: Sequence[dict[str, Any]], rules: Rules) -> dict[str, Any]:
    """Return the figures of each way over the clips that it was worked through on; ratios over those of both ways."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    having = {name: [row for row in rows if name in row] for name in names}
    policies = {name: {"clips": len(having[name]), **policy(name, having[name], rules)} for name in names}
    told: dict[str, Any] = {"clips": len(rows), "policies": policies}
    both = {name: [row for row in having[name] if REFERENCE in row] for name in names if name != REFERENCE}
    told["ratios"] = {base: ratio(base, found, rules) for base, found in both.items() if found}
    return told


def policy(name: str, rows: Sequence[dict[str, Any]], rules: Rules) -> dict[str, Any]:
    figures = [row[name][2] for row in rows]
    keys = list(figures[0])
    means = {key: finite([each[key] for each in figures]) for key in keys}
    means["seconds_to_final_of_full"] = finite([to_final(row, name) for row in rows])
    means["corrections_median"] = float(np.median([each["corrections_per_90_frames"] for each in figures]))
    means["reached_oks90"] = float(np.mean([np.isfinite(each["noc90"]) for each in figures]))
    means["reached_oks95"] = float(np.mean([np.isfinite(each["noc95"]) for each in figures]))
    means["reached_right95"] = float(np.mean([np.isfinite(each["noc95_right"]) for each in figures]))
    steps = by_step(rules.model, [action for row in rows for action in row[name][0]])
    per_clip = {kind: {key: round(value / len(rows), 2) for key, value in row.items()} for kind, row in steps.items()}
    return {**means, "label": LABEL, "steps_per_clip": per_clip, "curve": curve_points([row[name][1] for row in rows]),
            "per_clip": figures}  # fmt: skip


def to_final(row: dict[str, Any], name: str) -> float:
    """Return the seconds until a policy is as good as our way at its end (or as itself where that is less)."""
    goal = row[REFERENCE][1].oks[-1] if REFERENCE in row else row[name][1].oks[-1]
    return float(row[name][1].seconds_to(goal))


def ratio(base: str, rows: Sequence[dict[str, Any]], rules: Rules) -> dict[str, Any]:
    """Return our time over another's to the same final quality: to the lower of the two clips' ends."""
    ours, theirs, goals = [], [], []
    for row in rows:
        goal = min(row[REFERENCE][1].oks[-1], row[base][1].oks[-1])
        goals.append(goal)
        ours.append(row[REFERENCE][1].seconds_to(goal))
        theirs.append(row[base][1].seconds_to(goal))
    a, b = np.array(ours), np.array(theirs)
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(a), (2000, len(a)))
    spread = a[draws].sum(axis=1) / b[draws].sum(axis=1)
    whole = sensitivity(
        rules, [x for row in rows for x in row[REFERENCE][0]], [x for row in rows for x in row[base][0]]
    )
    return {
        "oks": float(np.mean(goals)),
        "seconds_ours": float(a.mean()),
        "seconds_theirs": float(b.mean()),
        "ratio": float(a.sum() / b.sum()),
        "ci95": [float(v) for v in np.percentile(spread, [2.5, 97.5])] if len(a) >= 4 else None,
        "sensitivity_of_whole_logs": whole,
    }


def curve_points(curves: Sequence[Curve]) -> dict[str, list[float]]:
    """Return the mean quality of the clips over time, each clip's last quality kept after its end."""
    end = max(float(curve.seconds[-1]) for curve in curves)
    at = np.linspace(0.0, end, CURVE_POINTS)
    held = [curve.oks[np.searchsorted(curve.seconds, at, side="right") - 1] for curve in curves]
    return {"seconds": at.round(1).tolist(), "oks": np.mean(held, axis=0).round(4).tolist()}


def finite(values: Sequence[float]) -> float | None:
    """Return the mean of the finite values, None where there is none."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


def summary(found: dict[str, Any]) -> dict[str, Any]:
    policies, ratios = found["policies"], found.get("ratios", {})
    ours = policies.get(REFERENCE, {})
    return {
        "label": LABEL,
        "seconds_full": ours.get("seconds"),
        "seconds_click_all": ratios.get("click_all", {}).get("seconds_theirs"),
        "seconds_drag_flagged": ratios.get("drag_flagged", {}).get("seconds_theirs"),
        "corrections_median": ours.get("corrections_median"),
        "introduced_errors": ours.get("introduced_errors"),
        "noc95": ours.get("noc95"),
        "noc90": ours.get("noc90"),
    }


def printed(document: dict[str, Any]) -> str:
    """Return the figures as text, every time labelled."""
    lines = [f"all seconds are {document['label']} (keystroke-level model, rules frozen {document['rules_frozen']})"]
    for name, found in document["populations"].items():
        lines += ["", f"{name}: {found['clips']} clips"]
        lines.append(f"{'policy':27}{'seconds':>9}{'s/frame':>9}{'acts/fr':>9}{'fix/1000':>9}{'OKS':>14}{'right':>15}{'missed':>8}"
                     f"{'introd.':>9}{'NoC90':>7}{'NoC95':>7}{'p95 ms':>8}")  # fmt: skip
        lines += [policy_line(policy, row) for policy, row in found["policies"].items()]
        for base, row in found.get("ratios", {}).items():
            interval = "" if row["ci95"] is None else f" [{row['ci95'][0]:.3f}, {row['ci95'][1]:.3f}]"
            lines.append(f"  full / {base}: {row['ratio']:.3f}{interval} to OKS {row['oks']:.3f} "
                         f"({row['seconds_ours']:.0f} s / {row['seconds_theirs']:.0f} s)")  # fmt: skip
        for policy in ("full",):
            if policy in found["policies"]:
                lines.append(f"  steps of {policy} per clip:")
                lines += [f"    {kind:14}{row['actions']:7.1f} times {row['seconds']:8.1f} s"
                          for kind, row in found["policies"][policy]["steps_per_clip"].items()]  # fmt: skip
    return "\n".join(lines)


def policy_line(name: str, row: dict[str, Any]) -> str:
    def told(key: str, form: str) -> str:
        return "-" if row[key] is None else format(row[key], form)

    return (
        f"{name:27}{told('seconds', '.0f'):>9}{told('seconds_per_frame', '.2f'):>9}"
        f"{told('actions_per_frame', '.1f'):>9}"
        f"{told('corrections_per_1000_joints', '.0f'):>9}{told('oks_before', '.3f') + ' > ' + told('oks', '.3f'):>14}"
        f"{told('right_before', '.3f') + ' > ' + told('right', '.3f'):>15}{told('missed_errors', '.1%'):>8}"
        f"{told('introduced_errors', '.2%'):>9}{told('noc90', '.2f'):>7}{told('noc95', '.2f'):>7}"
        f"{told('latency_p95_ms', '.0f'):>8}"
    )

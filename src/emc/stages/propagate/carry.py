"""From one human point outwards: which frames its path repairs, and where and why that ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.errors import UsageError
from emc.stages.propagate.drift import drift, leaning, leant
from emc.stages.propagate.run import FlowChain, JointRun, PropagationTuning, Repair, StopReason
from emc.stages.propagate.smoother import fuse, known


def propagate(
    run: JointRun, at: int, chains: Sequence[FlowChain] = (), reach: int = 45, tuning: PropagationTuning | None = None
) -> Repair:
    """Carry the human point on frame `at` to the frames around it.

    run : frames around the fix, the fix among its human points. chains : of flow, over the same frames. reach :
    frames to each side. Only frames between the neighbouring human points, within the reach, and on this side of
    cuts and of frames where a person said that the joint is hidden are looked at; of these, `Repair.moved` names
    those that the path repairs, an unbroken stretch on each side of the fix up to where predictions agree with the
    path again, and those near the fix from which the model's own drift is taken off (`Tuning.drift`).
    Raises `UsageError` where frame `at` has no human point.
    """
    tuning = tuning or PropagationTuning()
    middle = int(np.searchsorted(run.frames, at))
    if middle >= len(run.frames) or run.frames[middle] != at or not np.isfinite(run.human[middle]).all():
        raise UsageError(f"nobody placed the joint on frame {at}: propagate from a frame where a person did")
    first, before = bound(run, middle, -1, reach)
    last, after = bound(run, middle, 1, reach)
    part = run.part(first, last)
    cut_chains = [FlowChain(c.xy[first : last + 1], c.error[first : last + 1], c.before, c.after) for c in chains]
    offset, agreement = drift(part, tuning)
    straight = leaning(part, offset)
    xy, spread, right = fuse(straight, cut_chains, tuning)
    here = middle - first
    moved, ends = _moved(straight, here, xy, spread, right, cut_chains, tuning)
    moved |= leant(part, here, xy, spread, agreement, tuning)
    stops = [
        _told(end, edge, chain_stop)
        for end, edge, chain_stop in zip(ends, (before, after), _chain_stops(cut_chains, here), strict=True)
    ]
    return Repair(part.frames, xy, spread, right, moved, stops[0], stops[1])


def _moved(
    run: JointRun,
    here: int,
    xy: np.ndarray,
    spread: np.ndarray,
    right: np.ndarray,
    chains: Sequence[FlowChain],
    tuning: PropagationTuning,
) -> tuple[np.ndarray, tuple[StopReason | None, StopReason | None]]:
    """Return the frames that the path repairs, and for each side whether it ends because predictions agree."""
    found = known(run.predicted)
    away = np.linalg.norm(xy - np.where(found[:, None], run.predicted, np.inf), axis=1)
    unsure = spread > tuning.sure * run.side
    replace = (~found | (right < tuning.doubt)) & (away > tuning.apart * run.side) & ~unsure
    seen = np.any([np.zeros(len(xy), dtype=bool), *(known(chain.xy) for chain in chains)], axis=0)
    agrees = ~replace & (right >= tuning.doubt)
    moved = np.zeros(len(xy), dtype=bool)
    ends: list[StopReason | None] = []
    for step in (-1, 1):
        order = range(here + step, len(xy) if step > 0 else -1, step)
        end, count = _walk(run, list(order), replace, agrees, unsure, np.asarray(seen), tuning)
        for i in list(order)[:count]:
            moved[i] = replace[i]
        ends.append(end)
    return moved, (ends[0], ends[1])


def _walk(
    run: JointRun,
    order: Sequence[int],
    replace: np.ndarray,
    agrees: np.ndarray,
    unsure: np.ndarray,
    seen: np.ndarray,
    tuning: PropagationTuning,
) -> tuple[StopReason | None, int]:
    """Go outwards along `order`; return why it ends (None: at the last frame), and how many frames may be moved.

    Frames that neither flow nor an agreeing prediction bears out are bridged, but no more than `Tuning.bridge` of them.
    """
    blind = 0
    for place, i in enumerate(order):
        if known(run.human[i : i + 1])[0]:
            return None, place
        if unsure[i]:
            return StopReason.FLOW, place - blind
        following = order[place + 1 : place + 2]
        if agrees[i] and not any(replace[j] for j in following):
            return StopReason.AGREES, place
        blind = 0 if seen[i] or agrees[i] else blind + 1
        if blind > tuning.bridge:
            return StopReason.FLOW, place + 1 - blind
    return None, len(order) - blind


def bound(run: JointRun, middle: int, step: int, reach: int) -> tuple[int, StopReason]:
    """Return the index of the last frame to look at to one side, and why it is the last."""
    i = middle
    while True:
        following = i + step
        if not 0 <= following < len(run.frames):
            return i, StopReason.END
        if abs(int(run.frames[following]) - int(run.frames[middle])) > reach:
            return i, StopReason.REACH
        if run.cut[max(i, following)]:
            return i, StopReason.CUT
        if run.hidden[following]:
            return i, StopReason.OCCLUSION
        i = following
        if np.isfinite(run.human[i]).all():
            return i, StopReason.HUMAN


def _chain_stops(chains: Sequence[FlowChain], here: int) -> tuple[StopReason, StopReason]:
    for chain in chains:
        if np.isfinite(chain.xy[here]).all():
            return chain.before, chain.after
    return StopReason.FLOW, StopReason.FLOW


def _told(end: StopReason | None, edge: StopReason, chain_stop: StopReason) -> StopReason:
    if end is None:
        return edge
    return chain_stop if end is StopReason.FLOW else end

"""What alerts are worth on rendered clips, whose true joints are known: `python benchmarks/people/alerts.py`.

Each clip of `emc bench noise` (common and uncommon motion, another person each) is predicted on its true boxes with the
estimator's fitted confidence. A joint is wrong where it lies more than 0.2 torsos off. Told are the entries of the
queue and their seconds by the keystroke-level model, the share of entries that are true (a joint: wrong on a frame of
the run; a whole person: a quarter of the joints wrong), and how many of the wrong joints they cover; then what the
constants of `emc.stages.alerts` were chosen by: doubts of a moment by their distance from the path, exchanged sides by
the length of the stretch, and frames by the share of their joints that is flagged.

Options: [--estimator movenet-thunder+rotation] [--clips 8] [--seconds 3]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

import emc.plugins as plugins
from emc.config import AlertSettings, read_settings
from emc.pose.records import Alert, AlertReason, Box, Prediction, Role
from emc.pose.skeletons import COCO17
from emc.stages.alerts import find_alerts
from emc.stages.queue import FRAMES_PER_FIX, KEY, POINT, PRESS, SCAN, THINK
from emc.synth.scene import make_clip
from emc.workflow.bench.noise import NoiseClip, noise_clips
from emc.workflow.engine import in_engine
from emc.workflow.predict import confidence_from, model_key
from emc.workflow.predict.confidence import packaged_confidence

NEAR = 0.2
BANDS = (0.01, 0.02, 0.04, 0.08, np.inf)
SHARES = (0.1, 0.25, 0.4, 0.5, 0.75, 1.01)


@dataclass(frozen=True)
class Watched:
    """A clip: its predictions, and (T, J) whether each joint is wrong (NaN where nothing is labelled)."""

    name: str
    found: list[Prediction]
    wrong: np.ndarray

    @property
    def doubted(self) -> np.ndarray:
        """(T, J) bool: confidence below the limit of alerts."""
        return np.stack([p.confidence for p in self.found]) < 0.5


def watch(clips: Sequence[NoiseClip], name: str, seconds: float) -> Iterator[Watched]:
    """Yield each clip as the estimator sees it."""
    estimator = plugins.estimator_for(name)
    document = packaged_confidence(model_key(estimator))
    fast = in_engine(estimator, "auto")
    for clip in clips:
        rendered = make_clip(clip.motion, clip.seed, seconds=seconds, fps=30.0, size=(320, 320))
        shown = [(n, frame, frame.people[0]) for n in range(len(rendered)) if (frame := rendered[n]).people]
        boxes = [[Box(n, tuple(float(v) for v in who.box), track=0)] for n, _, who in shown]  # type: ignore[arg-type]
        found = fast.predict([frame.image for _, frame, _ in shown], boxes)
        if document is not None:
            found = confidence_from(document, name).apply(found, Role.TARGET, estimator.skeleton)
        truth = np.stack([who.xy for *_, who in shown]).astype(float)
        seen = np.stack([who.visibility for *_, who in shown]) > 0
        torso = float(np.nanmedian(np.linalg.norm(truth[:, 6] - truth[:, 11], axis=1)))
        off = np.linalg.norm(np.stack([p.xy for p in found]) - truth, axis=-1)
        yield Watched(f"{clip.kind} {clip.motion}", found, np.where(seen, off > NEAR * torso, np.nan))


def queue_row(watched: Sequence[Watched], settings: AlertSettings) -> dict[str, float]:
    """Return entries, their seconds, how many are true, and the share of wrong joints they cover."""
    row: dict[str, float] = defaultdict(float)
    for clip in watched:
        frames = np.array([p.frame for p in clip.found])
        covered = np.zeros(clip.wrong.shape, dtype=bool)
        for alert in find_alerts("clip", clip.found, settings, COCO17)[0]:
            rows = np.flatnonzero((frames >= alert.first) & (frames <= alert.last))
            joints = list(range(17)) if alert.reason is AlertReason.UNREADABLE else [alert.joint]
            covered[np.ix_(rows, joints)] = True
            row["entries"] += 1
            row["whole"] += len(joints) > 1
            row["true"] += _is_true(clip.wrong[np.ix_(rows, joints)])
            row["seconds"] += _seconds(alert, len(rows), len(joints))
        row["wrong"] += np.nansum(clip.wrong)
        row["covered"] += np.nansum(np.where(covered, clip.wrong, 0))
    return row


def _is_true(wrong: np.ndarray) -> bool:
    return bool(np.nanmean(wrong) >= 0.25 if wrong.shape[1] > 1 else np.nanmax(wrong, initial=0) > 0)


def _seconds(alert: Alert, frames: int, joints: int) -> float:
    fixes = np.ceil(frames * alert.severity / FRAMES_PER_FIX) * (THINK + POINT + 2 * PRESS)
    return joints * (THINK + SCAN * frames + (KEY if alert.reason is AlertReason.SWAP else fixes) + KEY)


def doubts_by_distance(watched: Sequence[Watched]) -> dict[int, list[float]]:
    """Return, by the band of `BANDS` of the largest distance from the straight way, the share wrong of short doubts."""
    found: dict[int, list[float]] = defaultdict(list)
    for clip in watched:
        xy = np.stack([p.xy for p in clip.found]).astype(float)
        side = np.array([max(p.box[2:]) for p in clip.found])
        for joint in range(17):
            edges = np.flatnonzero(np.diff(clip.doubted[:, joint].astype(np.int8), prepend=0, append=0))
            for first, end in edges.reshape(-1, 2).tolist():
                wrong = clip.wrong[first:end, joint]
                if first == 0 or end == len(xy) or end - first > 8 or not np.isfinite(wrong).any():
                    continue
                share = np.arange(1, end - first + 1)[:, None] / (end - first + 1)
                way = xy[first - 1, joint] + (xy[end, joint] - xy[first - 1, joint]) * share
                off = (np.linalg.norm(xy[first:end, joint] - way, axis=1) / side[first:end]).max()
                found[int(np.searchsorted(BANDS, off))].append(float(np.nanmean(wrong)))
    return found


def main() -> None:
    """Print the queue's figures, and what the constants were chosen by."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--estimator", default="movenet-thunder+rotation")
    parser.add_argument("--clips", type=int, default=8, help="of each kind")
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    watched = list(watch(noise_clips(options.clips), options.estimator, options.seconds))
    settings = read_settings(None, {}).alerts
    for kind in ("common", "uncommon"):
        row = queue_row([clip for clip in watched if clip.name.startswith(kind)], settings)
        print(
            f"{kind}: {row['entries']:.0f} entries ({row['whole']:.0f} of whole persons), {row['seconds']:.0f} s, "
            f"{row['true'] / max(row['entries'], 1):.2f} true; {row['covered'] / row['wrong']:.2f} of "
            f"{row['wrong']:.0f} wrong joints covered"
        )
    for band, shares in sorted(doubts_by_distance(watched).items()):
        print(f"doubt of 1 to 8 frames, off its way by up to {BANDS[band]}: {len(shares)}, {np.mean(shares):.2f} wrong")
    share = np.concatenate([clip.doubted.mean(axis=1) for clip in watched])
    wrong = np.concatenate([np.nanmean(clip.wrong, axis=1) for clip in watched])
    for low, high in zip((0.0, *SHARES), SHARES, strict=False):
        rows = (share >= low) & (share < high)
        print(f"share of joints doubted {low} to {high}: {rows.sum()} frames, {np.nanmean(wrong[rows]):.2f} wrong")


if __name__ == "__main__":
    main()

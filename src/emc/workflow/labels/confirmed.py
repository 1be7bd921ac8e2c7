"""How many labels somebody confirmed, and how many are where a model put them: a model must not be scored on itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.journal import JointKey, joint_versions
from emc.pose.records import Clip, Pose, Provenance
from emc.workflow.samples import label_visibility

SAME_PLACE = 0.02
"""Pixels within which an imported label is where a model predicted it: files keep two decimals."""
NEARLY_ALL = 0.9
"""From this share of labels that nobody confirmed on, scores and calibrations are refused."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Labelled joints of some clips.

    joints : that count as labels. imported : of them from label files, taken as a person's word. unconfirmed : of
    those, the ones that lie exactly where a run of the clip predicted them, so that they are a model's word as far as
    anybody can tell. machine : joints that edits keep as a machine's word; they are no labels.
    """

    joints: int = 0
    imported: int = 0
    unconfirmed: int = 0
    machine: int = 0

    def __add__(self, other: LabelCounts) -> LabelCounts:
        """Return the counts of both."""
        return LabelCounts(
            self.joints + other.joints,
            self.imported + other.imported,
            self.unconfirmed + other.unconfirmed,
            self.machine + other.machine,
        )

    def as_json(self) -> dict[str, int]:
        """Return the counts as they stand in documents."""
        return asdict(self)

    def say(self) -> str:
        """Return one line on what nobody confirmed, "" where there is nothing to say."""
        said: list[str] = []
        if self.unconfirmed:
            said.append(
                f"{self.unconfirmed} of {self.joints} labelled joints came in as a person's but lie exactly where a "
                "model predicted them: nobody confirmed them"
            )
        if self.machine:
            said.append(f"{self.machine} joints are a machine's word and count as no labels")
        return "; ".join(said)


def count_labels(store: Store, clips: Iterable[Clip]) -> LabelCounts:
    """Return how many joints of the clips are labelled, and how many of them nobody confirmed."""
    total = LabelCounts()
    for clip in clips:
        total = total + _clip_counts(store, clip.id)
    return total


def refuse_unconfirmed(counts: LabelCounts, what: str) -> None:
    """Raise `UsageError` where nearly all labels are where a model put them; `what` is what would be done with them."""
    if counts.joints and counts.unconfirmed >= NEARLY_ALL * counts.joints:
        raise UsageError(
            f"{counts.unconfirmed} of {counts.joints} labelled joints lie exactly where a model predicted them and "
            f"nobody confirmed them: {what} would measure the model by itself; take the import back and import the "
            "file with --as model, or confirm the joints in the editor"
        )


def _clip_counts(store: Store, clip: str) -> LabelCounts:
    edits = store.edits(clip)
    if not edits:
        return LabelCounts()
    kinds = {edit.id: edit.kind for edit in edits}
    versions = joint_versions(edits)
    joints, machine = 0, 0
    imported: dict[JointKey, np.ndarray] = {}
    for pose in store.poses(clip):
        seen = label_visibility(pose) > 0
        joints += int(seen.sum())
        for joint in np.flatnonzero(seen).tolist():
            key = (pose.frame, pose.person, joint)
            if kinds.get(versions.get(key, 0)) == "import":
                imported[key] = pose.xy[joint]
        machine += sum((pose.frame, pose.person, joint) in versions for joint in _by_machine(pose))
    return LabelCounts(joints, len(imported), _as_predicted(store, clip, imported), machine)


def _by_machine(pose: Pose) -> list[int]:
    placed = np.isfinite(pose.xy).all(axis=1) & (pose.visibility > 0) & (pose.provenance < Provenance.HUMAN)
    return np.flatnonzero(placed).tolist()


def _as_predicted(store: Store, clip: str, imported: dict[JointKey, np.ndarray]) -> int:
    """Return how many imported labels lie where any run of the clip has a joint of the same kind, whoever's it is."""
    by_frame: dict[int, list[JointKey]] = {}
    for key in imported:
        by_frame.setdefault(key[0], []).append(key)
    same: set[JointKey] = set()
    for run in store.runs(clip) if imported else ():
        for prediction in store.raw_predictions(run.id):
            for key in by_frame.get(prediction.frame, ()):
                joint = key[2]
                if joint < len(prediction.xy) and np.abs(imported[key] - prediction.xy[joint]).max() <= SAME_PLACE:
                    same.add(key)
    return len(same)

"""Who was found in a run: doubles merged, and what the user should look at said."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from emc.interfaces import RunRecord, Store
from emc.pose.records import Clip
from emc.pose.skeletons import Skeleton

if TYPE_CHECKING:
    from emc.stages.persons import Overlap

KIND = "doubles"
"""Kind of the project's documents, by run, that say which numbers were merged into which."""


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """Who a run holds.

    frames : on which somebody is. doubles : number that was merged -> number of the person whom it followed.
    """

    persons: int
    frames: int
    doubles: dict[int, int]
    hints: tuple[str, ...]


def merge_doubles(store: Store, run: str, skeleton: Skeleton) -> dict[int, int]:
    """Let numbers that follow one person be one, and note which; returns number -> the one that stays."""
    from emc.stages.persons import PersonPairs

    pairs = PersonPairs(skeleton)
    pairs.add_all(store.raw_predictions(run))
    same = pairs.doubles()
    if same:
        # Noted before it is done: one who is killed in between finds the same doubles again, and notes the same.
        rows = [asdict(one) for one in pairs.overlaps() if one.other in same and one.is_double]
        store.put_document(KIND, run, {"same": {str(other): kept for other, kept in same.items()}, "pairs": rows})
        store.renumber_persons(run, same)
    return same


def keep_numbers(store: Store, run: RunRecord) -> None:
    """Give the persons of a run the numbers that they have in the run before, where edits name any.

    A correction, or that somebody was deleted, is said of a number: it must not come to stand for another person.
    """
    from emc.stages.persons import kept_numbers

    edits = store.edits(run.clip)
    before = next((one for one in reversed(store.runs(run.clip)) if one.complete and one.id != run.id), None)
    if before is None or not edits:
        return
    named = {change.person for edit in edits for change in edit.changes}
    named |= {number for edit in edits for change in edit.persons for number in (change.person, change.into)}
    numbers = kept_numbers(store.raw_predictions(before.id), store.raw_predictions(run.id), named - {-1})
    if numbers:
        store.renumber_persons(run.id, numbers)


def people_found(store: Store, run: str, clip: Clip, looked: int, skeleton: Skeleton) -> FoundPeople:
    """Say who is in a complete run; `looked` : frames on which persons were looked for."""
    from emc.stages.persons import PersonPairs

    pairs = PersonPairs(skeleton)
    pairs.add_all(store.predictions(run))
    noted = store.document(KIND, run) or {"same": {}, "pairs": []}
    doubles = {int(other): int(kept) for other, kept in noted["same"].items()}
    hints = [_merged(row) for row in noted["pairs"]]
    if not pairs.people and looked:
        hints.append(_nobody(looked))
    if not clip.still:
        hints += [overlap_words(clip.id, one) for one in pairs.doubtful()]
    elif clip.frames > 1 and pairs.people:
        hints.append(_alone(clip))
    return FoundPeople(len(pairs.people), pairs.frames, doubles, tuple(hints))


def _merged(row: dict[str, int]) -> str:
    return (
        f"person {row['other']} lay on person {row['kept']} on {row['alike']} of {row['frames']} frames and was taken "
        f"for the same one (predict.doubles = keep leaves both)"
    )


def overlap_words(clip: str, pair: Overlap) -> str:
    """Say that two people of a clip may be one, and how to make them one."""
    return (
        f"persons {pair.kept} and {pair.other} overlap on {pair.inside} of {pair.frames} frames: where both are one, "
        f"`emc persons merge {clip} {pair.other} {pair.kept}`"
    )


def _alone(clip: Clip) -> str:
    return (
        f"each picture of {clip.id} stands alone, since it has no rate: who is on several counts as several; where "
        f"they follow each other in time, say so with `emc add {clip.path} --fps N` and predict again"
    )


def _nobody(looked: int) -> str:
    return (
        f"nobody found on {looked} frames looked at: try another detector (`--set predict.detector=NAME`, "
        "see `emc models`), a lower predict.min_box_score, or boxes of a file (--boxes)"
    )

"""Which clips are whose, and how far each clip's run is: done, checked, or sent back with a note."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from emc.errors import UsageError
from emc.store import SqlStore

ASSIGNED = "assignment"
"""Kind of the project's documents, by clip, that say who works on it."""
REVIEWED = "review"
"""Kind of the project's documents, by run, that say how far it is."""
NOTE_LENGTH = 2000


class ReviewState(StrEnum):
    """How far a run is. OPEN : nobody said anything yet."""

    OPEN = "open"
    DONE = "done"
    CHECKED = "checked"
    SENT_BACK = "sent back"


@dataclass(frozen=True, slots=True)
class Review:
    """What was said last of a run. edits : newest edit of the project when it was said; what came after is unchecked.

    at : when, ISO 8601 in UTC.
    """

    run: str
    state: ReviewState = ReviewState.OPEN
    note: str = ""
    by: str = ""
    at: str = ""
    edits: int = 0


def assign(store: SqlStore, clip: str, names: tuple[str, ...]) -> None:
    """Let `names` work on a clip, instead of whoever did; raises `UsageError` for an unknown clip."""
    store.put_document(ASSIGNED, store.clip(clip).id, {"names": list(names)})


def assignments(store: SqlStore) -> dict[str, tuple[str, ...]]:
    """Return clip -> who works on it, for clips in use that are assigned to anybody."""
    found: dict[str, tuple[str, ...]] = {}
    clips = {clip.id for clip in store.clips()}
    for clip in store.documents(ASSIGNED):
        names = (store.document(ASSIGNED, clip) or {}).get("names", ())
        if clip in clips and names:
            found[clip] = tuple(str(name) for name in names)
    return found


def assigned_clips(store: SqlStore, name: str) -> tuple[str, ...]:
    """Return the clips that somebody works on."""
    return tuple(clip for clip, names in assignments(store).items() if name in names)


def set_review(store: SqlStore, clip: str, state: ReviewState, by: str, note: str = "") -> Review:
    """Say how far a clip's newest run is; raises `UsageError` where there is none, or no note says why it goes back."""
    run = store.current_run(store.clip(clip).id)
    if run is None:
        raise UsageError(f"clip {clip} is not predicted yet: there is no run to review")
    if state is ReviewState.SENT_BACK and not note.strip():
        raise UsageError(f"clip {clip} is sent back without a note: say what is to be done")
    if len(note) > NOTE_LENGTH:
        raise UsageError(f"the note on clip {clip} has {len(note)} characters: write at most {NOTE_LENGTH}")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    review = Review(run.id, state, note.strip(), by, at, store.last_edit())
    store.put_document(REVIEWED, run.id, asdict(review))
    return review


def review_of(store: SqlStore, clip: str) -> Review | None:
    """Return what was said last of a clip's newest run, None where there is no run."""
    run = store.current_run(clip)
    if run is None:
        return None
    found = store.document(REVIEWED, run.id)
    if found is None:
        return Review(run.id)
    state = ReviewState(found["state"]) if found.get("state") in list(ReviewState) else ReviewState.OPEN
    note, by, at = (str(found.get(key) or "") for key in ("note", "by", "at"))
    return Review(run.id, state, note, by, at, int(found.get("edits") or 0))

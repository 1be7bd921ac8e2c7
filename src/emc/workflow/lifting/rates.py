"""Rates of lifted clips: what a header says of them, and what was found at another one."""

from __future__ import annotations

from emc.errors import UsageError
from emc.interfaces import RunRecord, Store
from emc.pose.rates import VARIES, is_even, rate_words
from emc.pose.records import Clip

BEFORE = 1.0
"""Frames per second that older versions gave to pictures whose rate nobody told."""


def header_words(clip: Clip) -> str:
    """Return what a header should say of a clip's times, "" where they are simply the file's."""
    said: list[str] = []
    if clip.file_fps:
        said.append(f"real time as told, the file plays at {clip.file_fps:.6g} per second")
    if clip.fps and clip.times is not None and not is_even(clip.times):
        said.append(VARIES)
    return "; ".join(said)


def refuse_single_pictures(clip: Clip, run: RunRecord) -> None:
    """Raise `UsageError` where pictures were predicted one by one, before somebody said that they are a film."""
    if clip.film and not run.settings.get("film"):
        raise UsageError(
            f"clip {clip.id} was predicted as pictures that stand alone, before it had a rate: run `emc predict --clip "
            f"{clip.id}` again (or import its predictions again), so that people are followed over them"
        )


def refuse_other_rate(store: Store, clip: Clip) -> None:
    """Raise `UsageError` where a clip was lifted at another rate than it has now: motion was smoothed by that one."""
    document = store.document("lifted", clip.id) or {}
    known = BEFORE if clip.kind == "images" else clip.file_fps or clip.fps
    then = float(document.get("fps", known) or 0.0)
    if abs(then - clip.fps) > 1e-6 * max(then, clip.fps):
        was = f"at {then:.6g} frames per second" if then else "as pictures that stand alone"
        raise UsageError(
            f"clip {clip.id} was lifted {was}, and has {rate_words(clip)} now: run `emc lift --clip {clip.id}` again"
        )

"""What a header says of a clip's times, and what was made at another rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.rates import with_rate
from emc.pose.records import Clip, Role
from emc.store import SqlStore
from emc.workflow.lifting.rates import header_words, refuse_other_rate, refuse_single_pictures

FILM = Clip("v", "v.mp4", Role.TARGET, "v", 4, 64, 48, fps=30.0, times=np.arange(4) / 30)
PICTURES = Clip("i", "i", Role.TARGET, "i", 4, 64, 48, kind="images")


def test_a_header_says_what_the_file_does_not() -> None:
    assert header_words(FILM) == ""
    assert header_words(PICTURES) == ""
    slow = with_rate(FILM, 240, 30.0, np.arange(4) / 30)
    assert header_words(slow) == "real time as told, the file plays at 30 per second"
    uneven = Clip("v", "v.mp4", Role.TARGET, "v", 4, 64, 48, fps=20.0, times=np.array([0.0, 0.02, 0.1, 0.15]))
    assert header_words(uneven) == "the clip's frame rate varies"


@pytest.mark.parametrize(
    ("clip", "document", "message"),
    [
        (with_rate(FILM, 240, 30.0, np.arange(4) / 30), {"fps": 30.0}, "at 30 frames per second, and has 240"),
        (with_rate(FILM, 240, 30.0, np.arange(4) / 30), {}, "at 30 frames per second, and has 240"),
        (with_rate(PICTURES, 25), {"fps": None}, "as pictures that stand alone, and has 25"),
        (PICTURES, {}, "at 1 frames per second, and has no rate"),
    ],
)
def test_a_motion_of_another_rate_is_refused(
    clip: Clip, document: dict[str, object], message: str, tmp_path: Path
) -> None:
    with SqlStore.create(tmp_path / "p.emc") as store:
        store.put_document("lifted", clip.id, document)
        with pytest.raises(UsageError, match=message):
            refuse_other_rate(store, clip)


@pytest.mark.parametrize("document", [{"fps": 30.0}, {}])
def test_a_motion_of_the_same_rate_is_not(document: dict[str, object], tmp_path: Path) -> None:
    with SqlStore.create(tmp_path / "p.emc") as store:
        store.put_document("lifted", "v", document)
        assert refuse_other_rate(store, FILM) is None


def test_pictures_that_were_predicted_one_by_one_are_no_film(tmp_path: Path) -> None:
    with SqlStore.create(tmp_path / "p.emc") as store:
        store.add_clip(PICTURES)
        alone = store.start_run("i", "m", "coco17", {})
        film = store.start_run("i", "m", "coco17", {"film": True})
    refuse_single_pictures(PICTURES, alone)
    refuse_single_pictures(with_rate(PICTURES, 25), film)
    with pytest.raises(UsageError, match="emc predict --clip i` again"):
        refuse_single_pictures(with_rate(PICTURES, 25), alone)

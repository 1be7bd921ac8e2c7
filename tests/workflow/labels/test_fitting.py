from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emc.errors import InputError
from emc.pose.label_frames import ClipFrames
from emc.pose.labels import LabelledImage, LabelledPerson
from emc.pose.records import Clip, Role
from emc.workflow.labels.fitting import fit
from emc.workflow.labels.landing import Landed

FILE = Path("labels.json")
CLIP = Clip("c", "c.mp4", Role.TARGET, "c", frames=10, width=200, height=100)


def person(number: int, xy: Any, seen: Any = 2, box: Any = (5, 5, 40, 40), **more: Any) -> LabelledPerson:
    places = np.array(xy, dtype=float)
    visibility = np.full(len(places), seen, np.int8) if isinstance(seen, int) else np.array(seen, np.int8)
    return LabelledPerson(1, number, places, visibility, box=box, **more)


def landed(*persons: LabelledPerson, size: tuple[int, int] = (200, 100)) -> Landed:
    image = LabelledImage(1, "a_3.png", *size)
    return Landed(CLIP, ClipFrames("c", 10, 200, 100), {1: image}, {1: 3}, persons, "frames")


def test_everything_with_a_length_is_scaled() -> None:
    small = person(1, [[9.5, 4.5], [np.nan, np.nan]], [2, 0], (4.5, 4.5, 20, 20), area=300.0, extra={"head_segment": 5})
    fitted = fit(landed(small, size=(100, 50)), FILE)
    (own,) = fitted.persons
    assert own.xy[0].tolist() == [19.5, 9.5]
    assert own.box == (9.5, 9.5, 40, 40)
    assert (own.area, own.extra["head_segment"]) == (1200, 10)
    assert fitted.said == ("1 annotations were made at another size and are scaled by 2",)


def test_an_unknown_size_is_told() -> None:
    fitted = fit(landed(person(1, [[10, 10]]), size=(0, 0)), FILE)
    assert fitted.said == ("1 annotations are on images of unknown size: taken as made at the clip's",)


def test_what_nobody_meant() -> None:
    first = person(1, [[0, 0], [20, 20]])
    again = person(2, [[0, 0], [20, 20.001]], box=None)
    crowd = person(3, [[20, 20], [30, 30]], iscrowd=True)
    bare = person(4, [[np.nan, np.nan]] * 2, 0)
    fitted = fit(landed(first, again, crowd, bare), FILE)
    assert [one.id for one in fitted.persons] == [1]
    assert fitted.persons[0].visibility.tolist() == [0, 2]
    assert np.isnan(fitted.persons[0].xy[0]).all()
    assert [one.id for one in fitted.ignored] == [3, 4]
    assert fitted.said == (
        "2 joints at (0, 0) are marked as labelled: taken as not labelled",
        "1 annotations are there twice: taken once",
        "2 crowds and persons without joints are kept: scores ignore them",
    )


def test_a_box_of_no_size_is_no_box() -> None:
    assert fit(landed(person(1, [[10, 10]], box=(10, 10, 0, 0))), FILE).persons[0].box is None


def test_a_joint_that_somebody_said_is_absent_is_a_label() -> None:
    own = person(1, [[np.nan, np.nan]], 0, extra={"provenance": ["human"]})
    assert [one.id for one in fit(landed(own), FILE).persons] == [1]


@pytest.mark.parametrize(
    ("persons", "size", "message"),
    [
        ([person(1, [[249.5, 10]])], (200, 100), r"annotation 1 has joint 0 at \(249\.5, 10\.0\), far outside"),
        ([person(1, [[10, 10]], box=(500, 5, 9, 9))], (200, 100), "annotation 1 has the box 500, 5, 9, 9, outside"),
        ([person(1, [[10, 10]])], (100, 100), r"image 1 \(a_3\.png\) is 100 x 100, the clip's frame 200 x 100"),
        (
            [person(1, [[0.1, 0.2], [0.3, 0.9], [1, 0.5]], box=None)],
            (200, 100),
            "all 3 joints of clip c between 0 and 1",
        ),
    ],
)
def test_what_cannot_lie_on_the_frame_is_refused(persons: Any, size: tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(landed(*persons, size=size), FILE)

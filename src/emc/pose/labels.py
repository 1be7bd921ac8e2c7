"""Labels of people on images, as label files hold them: nothing that a file says is lost on the way through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from emc.errors import InputError, ShapeMismatch
from emc.pose.skeletons import Skeleton


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image that labels refer to: `width` and `height` in pixels (0: not said), `extra` what else its file says."""

    id: int
    file_name: str
    width: int
    height: int
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPerson:
    """One labelled person on one image.

    Attributes
    ----------
    image : id of the `LabelledImage`. id : of the annotation, unique in its set.
    xy : (J, 2) float64 pixels of the image, centre of the top-left pixel = (0, 0); NaN where the joint has no place.
    visibility : (J,) int8 of `emc.pose.records.Visibility`; occluded joints keep their place.
    box : xywh in pixels, None where the file has none. area : pixels, NaN where unknown.
    iscrowd : a group that is not told apart. score : of a detection, None for a label.
    category : id of its category in the file. extra : every other field of the annotation.
    """

    image: int
    id: int
    xy: np.ndarray
    visibility: np.ndarray
    box: tuple[float, float, float, float] | None = None
    area: float = float("nan")
    iscrowd: bool = False
    score: float | None = None
    category: int = 1
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        joints = len(self.xy)
        if self.xy.shape != (joints, 2) or self.visibility.shape != (joints,):
            raise ShapeMismatch(
                f"label {self.id} has xy {self.xy.shape} and visibility {self.visibility.shape}: "
                "they must be (J, 2) and (J,)"
            )


@dataclass(frozen=True, eq=False)
class LabelSet:
    """Labelled people and their images, with one skeleton.

    `categories` as the file has them (empty: made from the skeleton when written); `others` annotations of categories
    without joints; `extra` the file's other parts, such as ``info`` and ``licenses``.
    """

    skeleton: Skeleton
    images: tuple[LabelledImage, ...]
    persons: tuple[LabelledPerson, ...]
    categories: tuple[Mapping[str, Any], ...] = ()
    others: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def image(self, id: int) -> LabelledImage:
        """Return an image by its id; raises `InputError` naming the id where there is none."""
        try:
            return self._by_id[id]
        except KeyError:
            raise InputError(f"no image {id} among {len(self.images)} labelled images: correct its id") from None

    @cached_property
    def _by_id(self) -> dict[int, LabelledImage]:
        return {image.id: image for image in self.images}

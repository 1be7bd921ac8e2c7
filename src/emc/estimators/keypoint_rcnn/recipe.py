"""How a training code prepares images and reads regions: weights are worth something only with the recipe they had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from emc.errors import WeightsError


@dataclass(frozen=True, slots=True)
class Recipe:
    """What differs between Keypoint R-CNNs of torchvision and of Detectron2, beside the weights.

    bgr : order of the input's channels; mean, spread : in that order, grey levels 0 to 255. resize : ``torch``
    (bilinear without a low-pass filter) or ``pillow`` (bilinear over the whole area when shrinking, whole grey levels).
    short_side, long_side : the image's shorter side becomes the first, unless its longer one then exceeded the second.
    aligned, sampling : of ROIAlign; ``aligned`` shifts by half a cell, ``sampling`` is the number of points per bin
    and side, 0 = as many as there are cells. whole_anchors : anchors are rounded to whole pixels. stride_first : a
    block that halves does so in its first 1 x 1 convolution, not in the 3 x 3. epsilon : added to the variances of
    frozen norms. half_pixel : what is added to a joint's place between pixel centres at whole numbers (ours, COCO's)
    and the network's frame. score : the number given as a joint's score, ``logit`` or ``softmax``.
    """

    name: str
    bgr: bool
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    resize: Literal["torch", "pillow"]
    aligned: bool
    sampling: int
    whole_anchors: bool
    stride_first: bool
    epsilon: float
    half_pixel: float
    score: Literal["logit", "softmax"]
    short_side: int = 800
    long_side: int = 1333


TORCHVISION = Recipe(
    name="torchvision",
    bgr=False,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    spread=(0.229 * 255, 0.224 * 255, 0.225 * 255),
    resize="torch",
    aligned=False,
    sampling=2,
    whole_anchors=True,
    stride_first=False,
    epsilon=1e-5,
    half_pixel=0.0,
    score="logit",
)
DETECTRON2 = Recipe(
    name="detectron2",
    bgr=True,
    mean=(103.53, 116.28, 123.675),
    spread=(1.0, 1.0, 1.0),
    resize="pillow",
    aligned=True,
    sampling=0,
    whole_anchors=False,
    stride_first=True,
    epsilon=1e-5,
    half_pixel=0.5,
    score="softmax",
)


def recipe_from(document: Mapping[str, Any], origin: str) -> Recipe:
    """Return the recipe that a saved model's card holds; raises `WeightsError` that names `origin`."""
    known = {field.name for field in fields(Recipe)}
    if set(document) != known:
        odd = sorted(set(document) ^ known)
        raise WeightsError(f"{origin} has a recipe with other entries than this version's ({odd[0]}): save it again")
    values = dict(document)
    try:
        values["mean"] = _three(values["mean"])
        values["spread"] = _three(values["spread"])
        recipe = Recipe(**values)
        usable = recipe.short_side >= 32 and recipe.long_side >= recipe.short_side and min(recipe.spread) > 0
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{origin} has a recipe that cannot be read ({error}): save the model again") from error
    if not usable:
        raise WeightsError(f"{origin} has a recipe with impossible sides or spreads: save the model again")
    return recipe


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as a saved model's card holds it."""
    return asdict(recipe)


def _three(values: Any) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third

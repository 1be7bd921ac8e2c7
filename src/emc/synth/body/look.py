"""How a figure is dressed: skin, hair, clothes, and the texture tiles that paint them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
TILE = 64

MATERIALS: tuple[str, ...] = (
    "skin", "hair", "top", "sleeve", "trousers", "shoe", "sole", "belt", "eye_white", "pupil",
    "lips", "brow", "accessory", "sock", "blush", "prop", "hem",
)  # fmt: skip
MATERIAL = MappingProxyType({name: index for index, name in enumerate(MATERIALS)})

OUTFITS: tuple[str, ...] = ("casual", "sport", "uniform", "leotard", "dress", "formal")
HAIR_STYLES: tuple[str, ...] = (
    "short", "bob", "long", "ponytail", "bun", "afro", "bald", "cap",
)  # fmt: skip
_SKIN: tuple[Colour, ...] = (
    (0.96, 0.80, 0.69), (0.91, 0.71, 0.58), (0.84, 0.62, 0.47), (0.72, 0.50, 0.36),
    (0.55, 0.37, 0.26), (0.42, 0.27, 0.19), (0.29, 0.18, 0.13),
)  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (0.07, 0.06, 0.06), (0.14, 0.09, 0.07), (0.26, 0.17, 0.11), (0.42, 0.28, 0.17),
    (0.72, 0.56, 0.33), (0.50, 0.22, 0.12), (0.62, 0.61, 0.60),
)  # fmt: skip
_BELTS: tuple[Colour, ...] = (
    (0.06, 0.06, 0.07), (0.92, 0.91, 0.88), (0.75, 0.62, 0.12), (0.12, 0.22, 0.55),
    (0.62, 0.10, 0.10), (0.12, 0.40, 0.20), (0.35, 0.20, 0.12),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Look:
    """One person's appearance.

    Parameters
    ----------
    outfit, hair_style, gender : str
        Names out of `OUTFITS`, `HAIR_STYLES`, and ``"f"`` or ``"m"``.
    sleeve, trousers : float
        Share of the arm (shoulder to wrist) and of the leg (hip to ankle) that cloth covers.
    width, flare : float
        How far cloth stands off the limbs, and how much more at the hem, in body heights.
    skirt, jacket : float
        Length below the hip of a skirt or of a jacket's hem, in body heights; 0 for none.
    belted, shoes, socks, beard, glasses, fists : bool
        What is worn, and whether the hands are closed.
    tiles : ndarray (17, 64, 64, 3)
        Texture of every material, 0 to 1, RGB.
    """

    outfit: str
    hair_style: str
    gender: str
    sleeve: float
    trousers: float
    width: float
    flare: float
    skirt: float
    jacket: float
    belted: bool
    shoes: bool
    socks: bool
    beard: bool
    glasses: bool
    fists: bool
    tiles: NDArray[np.float32]

    @property
    def tags(self) -> dict[str, str]:
        """Free tags of a clip: clothing, gender, hair."""
        return {"clothing": self.outfit, "gender": self.gender, "hair": self.hair_style}


def sample_look(rng: np.random.Generator, gender: str | None = None, outfit: str | None = None) -> Look:
    """Draw an appearance; `gender` and `outfit` may be fixed."""
    gender = gender or ("f" if rng.random() < 0.5 else "m")
    if outfit is None:
        shares = (0.36, 0.24, 0.15, 0.07, 0.10, 0.08)
        outfit = OUTFITS[int(rng.choice(len(OUTFITS), p=shares))]
        if outfit == "dress" and gender == "m":
            outfit = "casual"
    hair = _hair_style(rng, gender)
    cut = _cut(rng, outfit, gender)
    bare = outfit in ("uniform", "leotard") and rng.random() < 0.85
    return Look(
        outfit=outfit,
        hair_style=hair,
        gender=gender,
        **cut,
        belted=outfit == "uniform" or rng.random() < 0.25,
        shoes=not (bare or rng.random() < 0.06),
        socks=bool(rng.random() < 0.4),
        beard=gender == "m" and bool(rng.random() < 0.25),
        glasses=bool(rng.random() < 0.12),
        fists=outfit == "uniform" and bool(rng.random() < 0.7),
        tiles=_tiles(rng, outfit, cut["trousers"]),
    )


def _hair_style(rng: np.random.Generator, gender: str) -> str:
    if gender == "f":
        shares = (0.10, 0.20, 0.22, 0.20, 0.14, 0.06, 0.01, 0.07)
    else:
        shares = (0.62, 0.04, 0.04, 0.03, 0.03, 0.06, 0.09, 0.09)
    return HAIR_STYLES[int(rng.choice(len(HAIR_STYLES), p=shares))]


def _cut(rng: np.random.Generator, outfit: str, gender: str) -> dict[str, float]:
    """Lengths and widths of the clothes of an outfit."""
    sleeve = float(rng.choice([0.0, 0.27, 0.33, 0.55, 0.97], p=[0.1, 0.25, 0.25, 0.1, 0.3]))
    legs = float(rng.choice([0.28, 0.45, 0.55, 0.97], p=[0.12, 0.13, 0.05, 0.7]))
    cut = {
        "sleeve": sleeve,
        "trousers": legs,
        "width": float(rng.uniform(0.002, 0.010)),
        "flare": float(rng.uniform(0.0, 0.008)),
        "skirt": 0.0,
        "jacket": float(rng.uniform(0.02, 0.07)) if rng.random() < 0.4 else 0.0,
    }
    if outfit == "sport":
        cut["trousers"] = float(rng.choice([0.15, 0.3, 0.42, 0.97]))
        cut["sleeve"] = float(rng.choice([0.0, 0.0, 0.28, 0.97]))
    elif outfit == "uniform":
        cut.update(sleeve=float(rng.uniform(0.75, 0.95)), trousers=float(rng.uniform(0.86, 0.97)))
        cut.update(width=float(rng.uniform(0.010, 0.018)), flare=float(rng.uniform(0.006, 0.018)))
        cut["jacket"] = float(rng.uniform(0.08, 0.14))
    elif outfit == "leotard":
        cut.update(sleeve=float(rng.choice([0.0, 0.0, 0.97])), width=0.001, flare=0.0, jacket=0.0)
        cut["trousers"] = float(rng.choice([0.0, 0.97]))
    elif outfit == "dress":
        cut.update(skirt=float(rng.uniform(0.12, 0.36)), trousers=0.0, jacket=0.0)
    elif outfit == "formal":
        cut.update(sleeve=0.97, trousers=0.97, jacket=float(rng.uniform(0.05, 0.1)))
    if outfit == "casual" and gender == "f" and rng.random() < 0.25:
        cut.update(skirt=float(rng.uniform(0.1, 0.25)), trousers=0.0)
    return cut


def _any_colour(rng: np.random.Generator) -> NDArray[np.float64]:
    """A cloth colour: often dark, grey or white, sometimes bright."""
    if rng.random() < 0.35:
        return np.full(3, rng.choice([0.06, 0.12, 0.3, 0.5, 0.75, 0.9])) + rng.uniform(-0.03, 0.03)
    base = rng.uniform(0.05, 0.95, 3)
    return base + (base.mean() - base) * rng.uniform(-0.3, 0.6)


def _tiles(rng: np.random.Generator, outfit: str, legs: float) -> NDArray[np.float32]:
    """Texture tiles of all materials (17, 64, 64, 3)."""
    weights = rng.dirichlet([0.50, 0.50, 0.45, 0.40, 0.30, 0.25, 0.20])
    skin = weights @ np.array(_SKIN)
    hair = np.array(_HAIR[int(rng.integers(len(_HAIR)))]) * rng.uniform(0.8, 1.2)
    top, low, shoe = _any_colour(rng), _any_colour(rng), _any_colour(rng)
    if outfit == "uniform":
        top = np.array([0.93, 0.93, 0.91]) if rng.random() < 0.7 else np.array([0.1, 0.12, 0.3])
        low = top if rng.random() < 0.8 else np.array([0.08, 0.08, 0.09])
    elif outfit == "leotard" and legs > 0.5:
        low = low if rng.random() < 0.5 else top
    elif outfit == "formal":
        top = _any_colour(rng) * 0.35
        low = top
    belt = np.array(_BELTS[int(rng.integers(len(_BELTS)))])
    flat = {
        "skin": skin, "hair": hair, "shoe": shoe, "sole": np.array([0.85, 0.85, 0.82]),
        "belt": belt, "eye_white": np.array([0.93, 0.92, 0.9]), "pupil": np.array([0.09, 0.06, 0.05]),
        "lips": skin * np.array([0.85, 0.55, 0.55]), "brow": hair * 0.7 + skin * 0.1,
        "accessory": _any_colour(rng) * 0.6, "sock": np.full(3, rng.choice([0.1, 0.9])),
        "blush": skin * np.array([0.93, 0.80, 0.78]), "prop": rng.uniform(0.1, 0.7, 3),
        "top": top, "sleeve": top, "hem": top, "trousers": low,
    }  # fmt: skip
    tiles = np.stack([np.broadcast_to(flat[name], (TILE, TILE, 3)) for name in MATERIALS])
    tiles = tiles.astype(np.float32)
    tiles[MATERIAL["top"]] = _cloth(rng, top, 0.35 if outfit in ("uniform", "formal") else 1.0)
    tiles[MATERIAL["trousers"]] = _cloth(rng, low, 0.3)
    tiles[MATERIAL["sleeve"]] = tiles[MATERIAL["hem"]] = tiles[MATERIAL["top"]]
    if rng.random() < 0.2 and outfit != "uniform":
        tiles[MATERIAL["sleeve"]] = _cloth(rng, _any_colour(rng), 0.3)
    tiles[MATERIAL["hair"]] *= _strands(rng)
    _tailor(rng, outfit, tiles, skin, belt)
    return np.clip(tiles, 0.02, 1.0)


def _strands(rng: np.random.Generator) -> NDArray[np.float32]:
    rows = rng.uniform(0.75, 1.3, (1, TILE)).astype(np.float32)
    return np.repeat(rows, TILE, axis=0)[:, :, None]


def _cloth(rng: np.random.Generator, colour: NDArray[np.float64], share: float) -> NDArray:
    """A tile of cloth: folds as soft light and dark, and with chance `share` / 2 a pattern."""
    folds = cv2.resize(rng.normal(0, 0.09, (9, 5)).astype(np.float32), (TILE, TILE))
    weave = rng.normal(0, 0.02, (TILE, TILE)).astype(np.float32)
    tile = np.broadcast_to(colour, (TILE, TILE, 3)).astype(np.float32).copy()
    kind = int(rng.integers(5)) if rng.random() < 0.5 * share else -1
    other = _any_colour(rng).astype(np.float32)
    row, column = np.mgrid[:TILE, :TILE]
    step = int(rng.choice([8, 16, 32]))
    if kind == 0:
        tile[row % step < step // 2] = other
    elif kind == 1:
        tile[column % step < step // 2] = other
    elif kind == 2:
        tile += (other - tile) * (0.4 * ((row % 16 < 6)[..., None] + (column % 16 < 6)[..., None]))
    elif kind == 3:
        tile[(row % 16 - 8) ** 2 + (column % 16 - 8) ** 2 < 14] = other
    elif kind == 4:
        blobs = cv2.resize(rng.normal(0, 1, (10, 10)).astype(np.float32), (TILE, TILE))
        tile[blobs > 0.3] = other
    return tile * (1 + folds + weave)[:, :, None]


def _tailor(
    rng: np.random.Generator,
    outfit: str,
    tiles: NDArray[np.float32],
    skin: NDArray[np.float64],
    belt: NDArray[np.float64],
) -> None:
    """Paint collar, lapels, buttons or a print onto the top; column 16 is the middle of the chest."""
    top = np.ascontiguousarray(tiles[MATERIAL["top"]])
    cut = int(rng.integers(6, 22))
    if outfit in ("uniform", "formal", "dress", "leotard") or rng.random() < 0.3:
        wedge = np.array([[11, 0], [21, 0], [16, cut]], np.int32)
        inside = skin if outfit != "formal" else np.full(3, 0.9)
        cv2.fillConvexPoly(top, wedge, [float(c) for c in inside])
    if outfit == "uniform":
        edge = [float(c) for c in (belt if rng.random() < 0.3 else top[40, 40] * 0.8)]
        cv2.line(top, (10, 0), (19, 44), edge, 2)
        cv2.line(top, (22, 0), (16, 24), edge, 2)
    elif outfit == "formal":
        cv2.line(top, (16, cut), (16, 60), [float(c) for c in top[50, 40] * 0.6], 1)
        cv2.line(top, (16, 2), (16, cut - 2), [float(c) for c in _any_colour(rng)], 2)
    elif rng.random() < 0.35:
        ink = [float(c) for c in _any_colour(rng)]
        x, y, half = int(rng.integers(12, 19)), int(rng.integers(16, 30)), int(rng.integers(2, 6))
        cv2.rectangle(top, (x - half, y - half), (x + half, y + half), ink, -1)
        cv2.rectangle(top, (44, 14), (52, 28), ink, 2)
    elif rng.random() < 0.2:
        cv2.line(top, (16, 0), (16, 63), [float(c) for c in _any_colour(rng)], 1)
    tiles[MATERIAL["top"]] = top

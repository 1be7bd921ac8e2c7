"""Sheets to verify the labels of photos by eye: `python benchmarks/labels/sheets.py OUT [--split ...] [--most N]`.

Each pair shows one photo, enlarged, and beside it the same photo with its label: the person's right limbs red, left
limbs blue, the head green, each joint with its side and name (`RA` is the right ankle). Six pairs make a sheet. With
`--names FILE` (one photo per line) only those photos are drawn, in that order. `looks.py` counts what was found.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emc.formats.poses.coco import CocoFormat

TILE, COLUMNS, ROWS, HEADING = 380, 2, 3, 22
RED, BLUE, GREEN, WHITE = (60, 60, 255), (255, 120, 40), (80, 220, 80), (255, 255, 255)
LIMBS = (
    ("RA", "RK", RED), ("RK", "RH", RED), ("RH", "LH", GREEN), ("LH", "LK", BLUE), ("LK", "LA", BLUE),
    ("RW", "RE", RED), ("RE", "RS", RED), ("RS", "N", GREEN), ("N", "LS", GREEN), ("LS", "LE", BLUE),
    ("LE", "LW", BLUE), ("N", "T", GREEN),
)  # fmt: skip
JOINTS = ("RA", "RK", "RH", "LH", "LK", "LA", "RW", "RE", "RS", "LS", "LE", "LW", "N", "T")
"""Leeds Sports Pose: ankle, knee, hip of each side, wrist, elbow, shoulder of each side, neck, head top."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("out", type=Path)
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--split", default="target_test")
    parser.add_argument("--most", type=int, help="a random draw of so many photos, the same each time")
    parser.add_argument("--names", type=Path, help="file with the photos to draw")
    asked = parser.parse_args()
    photos = labelled(asked.shared / "lspe", asked.split)
    names = asked.names.read_text().split() if asked.names else drawn(sorted(photos), asked.most)
    asked.out.mkdir(parents=True, exist_ok=True)
    size = COLUMNS * ROWS
    for number, start in enumerate(range(0, len(names), size)):
        pairs = [pair(*photos[name], name) for name in names[start : start + size]]
        cv2.imwrite(str(asked.out / f"{asked.split}_{number:03d}.png"), sheet(pairs))
    print(f"{len(names)} photos on {-(-len(names) // size)} sheets in {asked.out}")
    return 0


def labelled(folder: Path, split: str) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return per photo: image (H, W, 3) BGR, joints (14, 2) in its pixels, visibility (14,)."""
    labels = CocoFormat().read(folder / f"{split}.json")
    found = {}
    for person in labels.persons:
        file = folder / labels.image(person.image).file_name
        image: Any = cv2.imread(str(file), cv2.IMREAD_COLOR)
        found[file.stem] = (image, np.asarray(person.xy, float), np.asarray(person.visibility))
    return found


def drawn(names: Sequence[str], most: int | None) -> list[str]:
    if most is None:
        return list(names)
    order = np.random.default_rng(0).permutation(len(names))[:most]
    return [names[place] for place in sorted(order)]


def pair(image: np.ndarray, xy: np.ndarray, visibility: np.ndarray, name: str) -> np.ndarray:
    """Return one photo beside its label, (HEADING + TILE, 2 TILE, 3)."""
    factor = min(TILE / image.shape[1], TILE / image.shape[0])
    large = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    marked = large.copy()
    # Pixel centres: the corner of the top-left pixel is half a pixel before its centre.
    places = {
        joint: tuple(int(round(value)) for value in (xy[row] + 0.5) * factor - 0.5)
        for row, joint in enumerate(JOINTS)
        if visibility[row] > 0
    }
    for first, second, colour in LIMBS:
        if first in places and second in places:
            cv2.line(marked, places[first], places[second], colour, 2, cv2.LINE_AA)
    for joint, place in places.items():
        colour = RED if joint[0] == "R" else BLUE if joint[0] == "L" else GREEN
        cv2.circle(marked, place, 4, WHITE, -1, cv2.LINE_AA)
        cv2.circle(marked, place, 3, colour, -1, cv2.LINE_AA)
        cv2.putText(marked, joint, (place[0] + 5, place[1] - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3)
        cv2.putText(marked, joint, (place[0] + 5, place[1] - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, WHITE, 1)
    tile = np.full((HEADING + TILE, 2 * TILE, 3), 30, np.uint8)
    tile[HEADING : HEADING + large.shape[0], : large.shape[1]] = large
    tile[HEADING : HEADING + large.shape[0], TILE : TILE + large.shape[1]] = marked
    cv2.putText(tile, name, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, WHITE, 1, cv2.LINE_AA)
    return tile


def sheet(pairs: Sequence[np.ndarray]) -> np.ndarray:
    height, width, _ = pairs[0].shape
    page = np.zeros((ROWS * (height + 6), COLUMNS * (width + 6), 3), np.uint8)
    for number, tile in enumerate(pairs):
        row, column = divmod(number, COLUMNS)
        y, x = row * (height + 6), column * (width + 6)
        page[y : y + height, x : x + width] = tile
    return page


if __name__ == "__main__":
    sys.exit(main())

"""Boxes of the people on the real clips, drawn by hand on some frames and interpolated between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emc.pose.records import Box

Corners = Mapping[int, tuple[int, int, int, int]]
HAND: Mapping[str, tuple[Corners, ...]] = {
    "two_people_1768x994_30fps.mp4": (
        {0: (590, 70, 715, 460), 25: (512, 50, 734, 455), 36: (480, 40, 800, 455), 43: (560, 85, 750, 460),
         50: (465, 35, 800, 441), 75: (555, 80, 710, 450), 100: (600, 100, 700, 455), 125: (690, 90, 790, 460),
         150: (740, 65, 875, 465), 158: (735, 130, 905, 460), 166: (750, 200, 970, 450), 175: (862, 138, 1013, 355),
         182: (905, 215, 1205, 470), 188: (970, 360, 1145, 845), 194: (1010, 680, 1260, 905),
         200: (1056, 736, 1268, 906), 206: (1075, 655, 1350, 905), 212: (1120, 605, 1440, 900),
         218: (1310, 575, 1520, 900), 222: (1400, 580, 1580, 900)},
        {38: (1505, 555, 1590, 900), 43: (1440, 560, 1580, 940), 50: (1445, 535, 1560, 955), 75: (1164, 527, 1377, 935),
         100: (912, 527, 1140, 930), 125: (734, 506, 865, 935), 150: (384, 500, 617, 940), 158: (335, 510, 560, 950),
         166: (270, 505, 430, 950), 175: (121, 522, 393, 950), 182: (100, 510, 260, 950), 188: (10, 510, 205, 945),
         194: (0, 525, 190, 950), 200: (0, 520, 55, 950)},
    ),
    "avatar_576x576_30fps.mp4": (
        {0: (196, 182, 375, 455), 15: (223, 193, 346, 459), 30: (215, 195, 375, 457), 45: (236, 130, 348, 457),
         60: (240, 131, 342, 457), 75: (236, 158, 335, 457), 90: (234, 193, 331, 459), 105: (234, 193, 331, 459),
         119: (236, 206, 351, 459)},
    ),
}  # fmt: skip
"""Left, top, right, bottom in pixels, by clip, person and frame."""


def by_hand(clip: str, frames: int) -> list[tuple[int, list[Box]]]:
    """Return every frame with the boxes of those who are there, numbered by person; score 1."""
    rows: list[tuple[int, list[Box]]] = [(frame, []) for frame in range(frames)]
    for person, drawn in enumerate(HAND[clip]):
        keys = sorted(drawn)
        corners = np.array([drawn[key] for key in keys], float)
        for frame in range(keys[0], keys[-1] + 1):
            x0, y0, x1, y1 = (float(np.interp(frame, keys, corners[:, side])) for side in range(4))
            rows[frame][1].append(Box(frame, (x0, y0, x1 - x0, y1 - y0), 1.0, person))
    return rows

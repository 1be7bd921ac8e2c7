"""Raw NASA-TLX: six ratings of how demanding a task was, and their mean.

Hart and Staveland 1988; without weights ("raw"): Hart 2006, NASA-Task Load Index (NASA-TLX); 20 years later.
"""

from __future__ import annotations

from collections.abc import Mapping

from emc.errors import UsageError

SCALES = ("mental", "physical", "temporal", "performance", "effort", "frustration")
LEAST, MOST, GRADE = 0, 100, 5


def checked_ratings(ratings: Mapping[str, float]) -> dict[str, int]:
    """Return the six ratings, 0 to 100 in steps of 5 (of performance 0 is perfect, 100 failure).

    Raises `UsageError` that names the scale which is missing, unknown or out of range.
    """
    missing = [name for name in SCALES if name not in ratings]
    unknown = sorted(set(ratings) - set(SCALES))
    if missing or unknown:
        raise UsageError(f"ratings must be of {', '.join(SCALES)}: missing {missing}, unknown {unknown}")
    for name in SCALES:
        if not LEAST <= ratings[name] <= MOST or ratings[name] % GRADE:
            raise UsageError(f"rating {name} = {ratings[name]} cannot be: use 0 to 100 in steps of {GRADE}")
    return {name: int(ratings[name]) for name in SCALES}


def raw_tlx(ratings: Mapping[str, float]) -> float:
    """Return the raw TLX, 0 (no load) to 100: the mean of the six ratings."""
    checked = checked_ratings(ratings)
    return sum(checked.values()) / len(SCALES)

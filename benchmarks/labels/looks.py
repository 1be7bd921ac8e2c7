"""Two looks by eye, a third where they differ: `python looks.py A.csv B.csv [--third C.csv] [--differ F] [--out F]`.

Each file has a row per photo: ``photo,split,verdict,joints,note``. Verdicts: keep, legs, arms, both (sides exchanged),
wrong (joints that are clearly off, by name), joined by ``+``, and unclear. Prints how often the two agree (share, and
Cohen's kappa) on the sides of the legs and on the whole verdict; writes the photos on which they differ (``--differ``),
and the verified list: what two of the looks say, else unclear.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HEADER = ("photo", "split", "verdict", "joints")
LEGS, ARMS = {"legs", "both"}, {"arms", "both"}


@dataclass(frozen=True)
class Look:
    """What one look says of a photo; `legs` and `arms`: whether their sides are exchanged, None where unclear."""

    split: str
    legs: bool | None
    arms: bool | None
    wrong: frozenset[str]

    @property
    def verdict(self) -> str:
        """The look in words, as the verified list has it."""
        if self.legs is None:
            return "unclear"
        sides = "both" if self.legs and self.arms else "legs" if self.legs else "arms" if self.arms else ""
        return "+".join([*([sides] if sides else []), *(["wrong"] if self.wrong else [])]) or "keep"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("looks", type=Path, nargs=2)
    parser.add_argument("--third", type=Path)
    parser.add_argument("--differ", type=Path, help="writes the photos on which the two differ")
    parser.add_argument("--out", type=Path, help="writes the verified list")
    asked = parser.parse_args()
    first, second = (read(path) for path in asked.looks)
    third = read(asked.third) if asked.third else {}
    both = [photo for photo in first if photo in second]
    for split in sorted({first[photo].split for photo in both}):
        print_agreement(split, [(first[photo], second[photo]) for photo in both if first[photo].split == split])
    differ = [photo for photo in both if not same(first[photo], second[photo])]
    if asked.differ:
        asked.differ.write_text("".join(f"{photo}\n" for photo in differ))
    verified = {photo: settled(first[photo], second[photo], third.get(photo)) for photo in both}
    for split in sorted({look.split for look in verified.values()}):
        counts = Counter(look.verdict for look in verified.values() if look.split == split)
        print(f"verified, {split}: " + ", ".join(f"{word} {count}" for word, count in counts.most_common()))
    if asked.out:
        write(asked.out, verified)
    return 0


def read(path: Path) -> dict[str, Look]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["photo"]: look_of(row) for row in csv.DictReader(file)}


def look_of(row: Mapping[str, str]) -> Look:
    words = set(row["verdict"].strip().split("+"))
    if unknown := words - {"keep", "legs", "arms", "both", "wrong", "unclear"}:
        raise SystemExit(f"{row['photo']}: {', '.join(sorted(unknown))} is no verdict")
    clear = "unclear" not in words
    return Look(
        row["split"],
        bool(words & LEGS) if clear else None,
        bool(words & ARMS) if clear else None,
        frozenset((row["joints"] or "").split()) if "wrong" in words else frozenset(),
    )


def same(one: Look, two: Look) -> bool:
    return (one.legs, one.arms, one.wrong) == (two.legs, two.arms, two.wrong)


def settled(one: Look, two: Look, third: Look | None) -> Look:
    """Return what two of the looks say of the legs' sides, of the arms' and of each joint; without two: unclear."""
    looks = [one, two, *([third] if third else [])]
    wrong = Counter(joint for look in looks for joint in look.wrong)
    return Look(
        one.split,
        majority([look.legs for look in looks]),
        majority([look.arms for look in looks]),
        frozenset(joint for joint, count in wrong.items() if count >= 2),
    )


def majority(said: list[bool | None]) -> bool | None:
    value, count = Counter(said).most_common(1)[0]
    return value if count >= 2 else None


def print_agreement(split: str, pairs: list[tuple[Look, Look]]) -> None:
    told = [(one.legs, two.legs) for one, two in pairs if one.legs is not None and two.legs is not None]
    equal = sum(one == two for one, two in told)
    print(
        f"{split}: {len(pairs)} photos, whole verdict equal on {sum(same(*pair) for pair in pairs)}; "
        f"legs' sides told by both on {len(told)}, equal on {equal}, kappa {kappa(told):.2f}"
    )


def kappa(pairs: list[tuple[bool | None, bool | None]]) -> float:
    """Return Cohen's kappa: agreement beyond what two independent looks with these shares would reach by chance."""
    if not pairs:
        return float("nan")
    observed = sum(one == two for one, two in pairs) / len(pairs)
    ones, twos = (sum(bool(pair[side]) for pair in pairs) / len(pairs) for side in (0, 1))
    chance = ones * twos + (1 - ones) * (1 - twos)
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def write(path: Path, verified: Mapping[str, Look]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        for photo in sorted(verified, key=lambda name: (verified[name].split, name)):
            look = verified[photo]
            table.writerow([photo, look.split, look.verdict, " ".join(sorted(look.wrong))])


if __name__ == "__main__":
    sys.exit(main())

"""Build a calibration set: a frozen, hashed selection, split without leaks, with a card that tells what is in it."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from emc.errors import LeakError, UsageError
from emc.pose.records import Role

Unit = Literal["group", "clip", "time"]

# Neighbouring frames of one clip are nearly the same picture; where one clip must serve both sides, frames this near
# to the other side are left out (half a second at 30 frames per second).
GUARD_FRAMES = 15
_ONE_SIDED = 0.9  # share of one tag value beyond which the card warns


@dataclass(frozen=True, slots=True)
class SampleRef:
    """One labelled person of one frame, by name.

    media : hash of the clip's file, image : hash of the frame's pixels, label : hash of the joints ("" = not known;
    see `label_sha256`). tags : of the clip.
    """

    clip: str
    group: str
    frame: int
    person: int
    role: Role
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    media: str = ""
    image: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """Train and validation; `units` says for each role what was kept whole, `warnings` what the user must know."""

    train: tuple[SampleRef, ...]
    validation: tuple[SampleRef, ...]
    units: Mapping[Role, Unit] = field(default_factory=dict[Role, Unit])
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """A frozen selection with its card; `sha256` is the card's hash and the set's identity."""

    split: Split
    test: tuple[SampleRef, ...]
    card: Mapping[str, Any]
    sha256: str


def label_sha256(xy: np.ndarray, visibility: np.ndarray) -> str:
    """Return the hash of one person's (J, 2) joints (to 1/100 pixel; NaN is a value of its own) and visibility."""
    rounded = np.round(np.asarray(xy, dtype=np.float64), 2) + 0.0  # + 0.0: no negative zero
    rounded[~np.isfinite(rounded)] = np.nan
    return hashlib.sha256(rounded.tobytes() + np.asarray(visibility, dtype=np.int8).tobytes()).hexdigest()


def build_calibration_set(
    refs: Iterable[SampleRef],
    test: Iterable[SampleRef] = (),
    validation: float = 0.2,
    mix: tuple[int, int] = (8, 2),
    seed: int = 0,
    validation_common: float | None = None,
) -> CalibrationSet:
    """Split `refs`, look for leaks between train, validation and `test`, and write the card.

    validation, validation_common : shares of the target and of the common persons that choose (None: the same share).
    Raises `LeakError` that names what is in two splits, `UsageError` where there is too little to split.
    """
    shares = {Role.TARGET: validation, Role.COMMON: validation if validation_common is None else validation_common}
    split, tested = split_by_group(refs, shares, seed), tuple(_sorted(test))
    leaks = find_leaks(split.train, split.validation, tested, split.units)
    if leaks:
        more = f" and {len(leaks) - 3} more" if len(leaks) > 3 else ""
        raise LeakError(f"data would leak: {'; '.join(leaks[:3])}{more}: remove it from one of the two")
    card = build_card(split, tested, mix, seed)
    return CalibrationSet(split, tested, card, str(card["sha256"]))


def split_by_group(refs: Iterable[SampleRef], shares: Mapping[Role, float], seed: int) -> Split:
    """Hold out whole groups for validation, about the share `shares` of the persons of each role.

    A group is never on both sides, in neither role. A role with one group alone is split by clip, one with a single
    clip by time (the last frames, with a guard gap whose samples are left out); both are told as warnings. The order
    of `refs` does not matter. Raises `UsageError` for a share outside (0, 1), a repeated sample, or too few frames.
    """
    for share in shares.values():
        if not 0 < share < 1:
            raise UsageError(f"validation share is {share:g}: give a share between 0 and 1, such as 0.2")
    samples = _sorted(refs)
    _refuse_repeats(samples)
    held: set[str] = set()
    train: list[SampleRef] = []
    kept: list[SampleRef] = []
    units: dict[Role, Unit] = {}
    warnings: list[str] = []
    for role in Role:
        mine = [ref for ref in samples if ref.role is role]
        if not mine:
            continue
        units[role] = _unit(mine)
        if units[role] == "time":
            before, after = _split_by_time(mine, shares[role])
        else:
            key = _group if units[role] == "group" else _clip
            settled = {_group(ref) for ref in train} if units[role] == "group" else set[str]()
            chosen = _hold_out(Counter(key(ref) for ref in mine), shares[role], seed, held, settled)
            before = [ref for ref in mine if key(ref) not in chosen]
            after = [ref for ref in mine if key(ref) in chosen]
        if units[role] != "group":
            warnings.append(_unit_warning(role, units[role], mine))
        if not after:
            warnings.append(f"every {role.value} group also trains, so nothing validates {role.value}: add a group")
        held |= {_group(ref) for ref in after}
        train += before
        kept += after
    return Split(tuple(train), tuple(kept), units, tuple(warnings))


def find_leaks(
    train: Sequence[SampleRef],
    validation: Sequence[SampleRef],
    test: Sequence[SampleRef] = (),
    units: Mapping[Role, Unit] | None = None,
) -> list[str]:
    """Return what is in two splits, in words: groups, clips, media files, identical images.

    `units` (of `Split`) excuses train and validation where a role had to be split by clip or by time; `test` is
    never excused.
    """
    leaks: list[str] = []
    named = {"train": train, "validation": validation, "test": test}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        excused = units or {} if other == "validation" else {}
        for kind, keys in _LEAK_KEYS.items():
            a = {keys(ref) for ref in named[one] if not _excused(kind, excused.get(ref.role))}
            b = {keys(ref) for ref in named[other] if not _excused(kind, excused.get(ref.role))}
            leaks += [f"{kind} {name} is in {one} and {other}" for name in sorted((a & b) - {""})]
    return leaks


def build_card(split: Split, test: Sequence[SampleRef], mix: tuple[int, int], seed: int) -> dict[str, Any]:
    """Return the set's card, a JSON document: counts, balance of tags, splits, ratio, hash, warnings.

    ``mix.served`` is None until training has filled it (`with_served`). ``tags`` gives, per role and tag, the share of
    persons of each value; persons without the tag count as "".
    """
    parts = {"train": split.train, "validation": split.validation, "test": tuple(test)}
    everything = [*split.train, *split.validation]
    roles = [role for role in Role if any(ref.role is role for ref in everything)]
    balance = {role.value: _balance([ref for ref in everything if ref.role is role]) for role in roles}
    return {
        "sha256": selection_sha256(parts),
        "seed": seed,
        "mix": {"asked": list(mix), "served": None},
        "counts": {name: {r.value: _counts(refs, r) for r in Role} for name, refs in parts.items()},
        "splits": {name: sorted({_group(ref) for ref in refs}) for name, refs in parts.items()},
        "kept_whole": {role.value: unit for role, unit in split.units.items()},
        "tags": balance,
        "leaks": len(find_leaks(split.train, split.validation, test, split.units)),
        "warnings": [*split.warnings, *_balance_warnings(balance)],
    }


def with_served(card: Mapping[str, Any], served: Mapping[str, int], sha256: str = "") -> dict[str, Any]:
    """Return the card with the shares that training served; counts and the hash of the draws beside them."""
    total = sum(served.values())
    shares = [served[role.value] / total if total else 0.0 for role in Role]
    mix = {**card["mix"], "served": shares, "served_samples": dict(served), "served_sha256": sha256}
    return {**card, "mix": mix}


def selection_sha256(splits: Mapping[str, Sequence[SampleRef]]) -> str:
    """Return the hash of a whole selection: which samples, with which labels, in which split; in any order."""
    lines = sorted(
        json.dumps([name, *_identity(ref), ref.group, ref.media, ref.image, ref.label, sorted(ref.tags.items())])
        for name, refs in splits.items()
        for ref in refs
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _group(ref: SampleRef) -> str:
    return ref.group or ref.clip


def _clip(ref: SampleRef) -> str:
    return ref.clip


_LEAK_KEYS: Mapping[str, Callable[[SampleRef], str]] = {
    "group": _group,
    "clip": _clip,
    "media file": lambda ref: ref.media,
    "image": lambda ref: ref.image,
}


def _excused(kind: str, unit: Unit | None) -> bool:
    if unit == "time":
        return kind != "image"
    return unit == "clip" and kind == "group"


def _identity(ref: SampleRef) -> tuple[str, str, int, int]:
    return (ref.role.value, ref.clip, ref.frame, ref.person)


def _sorted(refs: Iterable[SampleRef]) -> list[SampleRef]:
    return sorted(refs, key=_identity)


def _refuse_repeats(samples: Sequence[SampleRef]) -> None:
    for one, other in zip(samples, samples[1:], strict=False):
        if _identity(one) == _identity(other):
            raise UsageError(
                f"clip {one.clip}, frame {one.frame}, person {one.person} is selected twice: select it once"
            )


def _unit(refs: Sequence[SampleRef]) -> Unit:
    if len({_group(ref) for ref in refs}) > 1:
        return "group"
    return "clip" if len({ref.clip for ref in refs}) > 1 else "time"


def _unit_warning(role: Role, unit: Unit, refs: Sequence[SampleRef]) -> str:
    if unit == "clip":
        return (
            f"all {role.value} clips are of one group ({_group(refs[0])}): validation holds out clips, so the scores "
            "say nothing about other people; name the groups or add some"
        )
    return (
        f"all {role.value} data are of one clip ({refs[0].clip}): validation holds out its last frames, so the scores "
        "are too good; add clips"
    )


def _hold_out(sizes: Counter[str], share: float, seed: int, held: set[str], settled: set[str]) -> set[str]:
    """Choose names to hold out: those already held, then in seeded order what fits in, then one that comes nearer."""
    chosen = {name for name in sizes if name in held}
    names = [name for name in sorted(sizes) if name not in held and name not in settled]
    free = [names[int(number)] for number in np.random.default_rng(seed).permutation(len(names))]
    missing = share * sum(sizes.values()) - sum(sizes[name] for name in chosen)
    for name in free:
        if len(chosen) + 1 < len(sizes) and sizes[name] <= missing:
            chosen.add(name)
            missing -= sizes[name]
    rest = [name for name in free if name not in chosen]
    nearest = min(rest, key=lambda name: abs(missing - sizes[name]), default=None)
    fits = len(chosen) + 1 < len(sizes) and nearest is not None and abs(missing - sizes[nearest]) < missing
    if nearest is not None and (fits or not chosen):
        chosen.add(nearest)
    return chosen


def _split_by_time(refs: Sequence[SampleRef], share: float) -> tuple[list[SampleRef], list[SampleRef]]:
    frames = sorted({ref.frame for ref in refs})
    count = max(1, round(share * len(frames)))
    start = frames[-count]
    guard = min(GUARD_FRAMES, math.ceil((frames[-1] - frames[0]) / 10))
    before = [ref for ref in refs if ref.frame < start - guard]
    if not before:
        raise UsageError(
            f"clip {refs[0].clip} has {len(frames)} labelled frames, too few to hold out validation: label frames "
            "farther apart, or add a clip"
        )
    return before, [ref for ref in refs if ref.frame >= start]


def _counts(refs: Sequence[SampleRef], role: Role) -> dict[str, int]:
    mine = [ref for ref in refs if ref.role is role]
    return {
        "clips": len({ref.clip for ref in mine}),
        "frames": len({(ref.clip, ref.frame) for ref in mine}),
        "persons": len(mine),
    }


def _balance(refs: Sequence[SampleRef]) -> dict[str, dict[str, float]]:
    tags = sorted({tag for ref in refs for tag in ref.tags})
    return {
        tag: {
            value: number / len(refs)
            for value, number in sorted(Counter(ref.tags.get(tag, "") for ref in refs).items())
        }
        for tag in tags
    }


def _balance_warnings(balance: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    return [
        f"{100 * share:.0f} % of {role} persons have {tag} = {value or '(none)'}: the scores speak for these alone"
        for role, tags in balance.items()
        for tag, values in tags.items()
        for value, share in values.items()
        if share > _ONE_SIDED
    ]

"""A user's own skeleton: a TOML text, read with every fault named, and written again.

```toml
name = "dog"
joints = ["nose", "left_ear", "right_ear", "withers", "tail_base", "tail_tip"]
limbs = [["nose", "withers"], ["withers", "tail_base"], ["tail_base", "tail_tip"]]
flip = [["left_ear", "right_ear"]]
sigmas = [0.03, 0.04, 0.04, 0.08, 0.08, 0.06]

[parts]
tail = ["tail_base", "tail_tip"]

[derived]
withers = ["left_shoulder", "right_shoulder"]
```

Only ``name`` and ``joints`` are required. Without ``flip`` mirror joints are found by left and right in their names,
which may be written as in ``left_hip``, ``l_hip``, ``hip_left``, ``LHip``, ``Left Hip`` or ``hip.L``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from emc.errors import InputError
from emc.pose.skeletons.sides import joint_word
from emc.pose.skeletons.skeleton import SKELETONS, Skeleton, build_skeleton
from emc.untrusted import card_text, in_one_line, one_line

ENTRIES = ("name", "joints", "limbs", "flip", "sigmas", "parts", "derived")
MOST_JOINTS = 500
LONGEST_NAME = 100
RESERVED = "total"
"""The part that every skeleton has: all its joints."""


@one_line("correct it, see docs/skeletons.md")
def read_skeleton(path: Path) -> Skeleton:
    """Return the skeleton of a TOML file; raises `InputError` that names the file, the value and the remedy."""
    try:
        text = card_text(path).removeprefix("\ufeff")
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist: give one of {', '.join(SKELETONS)}, or the path of a TOML file (docs/skeletons.md)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text ({error}): correct or copy it again") from error
    return skeleton_from_toml(text, str(path))


def skeleton_from_toml(text: str, origin: str = "skeleton.toml") -> Skeleton:
    """Return the skeleton of a TOML text (see the module's own words for its entries).

    Raises `InputError` that names `origin`, the value and the remedy.
    """
    with in_one_line(origin, "correct it, see docs/skeletons.md"):
        return _skeleton(text, origin)


def _skeleton(text: str, origin: str) -> Skeleton:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin} is not valid TOML ({error}): correct the line it names") from error
    unknown = sorted(set(raw) - set(ENTRIES))
    if unknown:
        raise InputError(f"{origin} has an unknown entry '{unknown[0]}': use {', '.join(ENTRIES)}")
    return _Reader(raw, origin).skeleton()


def skeleton_text(skeleton: Skeleton) -> str:
    """Return a skeleton as TOML that `skeleton_from_toml` reads back to the same skeleton.

    A built-in one's name is taken: its text needs another.
    """
    joints = skeleton.joints
    pairs = [(i, j) for i, j in enumerate(skeleton.flip) if i < j]
    lines = [f'name = "{skeleton.name}"', f"joints = {_words(joints)}", "limbs = ["]
    lines += [f"    {_words((joints[a], joints[b]))}," for a, b in skeleton.limbs]
    lines += ["]", "flip = ["]
    lines += [f"    {_words((joints[a], joints[b]))}," for a, b in pairs]
    lines += ["]"]
    if skeleton.sigmas:
        lines.append(f"sigmas = [{', '.join(repr(float(sigma)) for sigma in skeleton.sigmas)}]")
    parts = {name: [joints[i] for i in indices] for name, indices in skeleton.parts.items() if name != RESERVED}
    for name, table in (("parts", parts), ("derived", skeleton.derived)):
        if table:
            lines += ["", f"[{name}]", *(f"{_quoted(key)} = {_words(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _words(words: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(word) for word in words) + "]"


def _quoted(word: str) -> str:
    """Return a text as TOML writes it: JSON's escapes, and the one character that TOML refuses beside them."""
    return json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(frozen=True, slots=True)
class _Reader:
    """One TOML document and where it came from; every method checks one entry."""

    raw: Mapping[str, Any]
    origin: str

    def skeleton(self) -> Skeleton:
        joints = self.joints()
        plain = build_skeleton(self.name(), joints, self.pairs("limbs", joints), self.sigmas(joints))
        own = self.lists("parts")
        for name, members in own.items():
            self._known(f"part '{name}'", members, joints)
            if name == RESERVED:
                raise InputError(f"{self.origin} has a part '{RESERVED}', which stands for all joints: rename it")
        parts = {name: tuple(joints.index(j) for j in members) for name, members in own.items()}
        return Skeleton(
            plain.name,
            joints,
            plain.limbs,
            self.flip(joints) if "flip" in self.raw else plain.flip,
            plain.sigmas,
            {**{k: v for k, v in plain.parts.items() if k != RESERVED}, **parts, RESERVED: plain.parts[RESERVED]},
            self.derived(joints),
        )

    def name(self) -> str:
        name = self.raw.get("name", "custom")
        if not isinstance(name, str) or not _is_word(name):
            raise InputError(f"{self.origin} has name = {name!r:.60}: write one word of a to z, digits and _")
        if name in SKELETONS:
            raise InputError(f"{self.origin} has name = '{name}', which is built in: choose another name")
        return name

    def joints(self) -> tuple[str, ...]:
        raw = self.raw.get("joints", [])
        joints = [_word(joint) for joint in cast(list[Any], raw)] if isinstance(raw, list) else []
        if not joints or len({str(joint) for joint in joints}) != len(joints):
            raise InputError(f"{self.origin} needs a list 'joints' of different names: got {raw!r:.100}")
        for joint in joints:
            if not isinstance(joint, str) or not _is_word(joint):
                raise InputError(
                    f"{self.origin} has the joint {joint!r:.60}: write a word of a-z, 0-9 and _, such as left_knee"
                )
        if len(joints) > MOST_JOINTS:
            raise InputError(f"{self.origin} has {len(joints)} joints: at most {MOST_JOINTS} can be used")
        return tuple(joints)

    def pairs(self, entry: str, joints: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for pair in self._list(entry):
            if not isinstance(pair, list) or len(cast(list[Any], pair)) != 2:
                raise InputError(f"{self.origin} has {pair!r:.60} in '{entry}': write pairs of joint names")
            a, b = (str(_word(end)) for end in cast(list[Any], pair))
            if a == b:
                raise InputError(f"{self.origin} has {pair!r:.60} in '{entry}': name two different joints")
            found.append((a, b))
        self._known(entry, [end for pair in found for end in pair], joints)
        return tuple(found)

    def flip(self, joints: tuple[str, ...]) -> tuple[int, ...]:
        mirror = list(range(len(joints)))
        for a, b in self.pairs("flip", joints):
            i, j = joints.index(a), joints.index(b)
            for joint, index in ((a, i), (b, j)):
                if mirror[index] != index:
                    raise InputError(f"{self.origin} has the joint '{joint}' in two pairs of 'flip': name it in one")
            mirror[i], mirror[j] = j, i
        return tuple(mirror)

    def sigmas(self, joints: tuple[str, ...]) -> tuple[float, ...]:
        raw = self._list("sigmas")
        for value in raw:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10:
                raise InputError(f"{self.origin} has {value!r:.40} in 'sigmas': write numbers above 0, such as 0.079")
        if raw and len(raw) != len(joints):
            raise InputError(f"{self.origin} has {len(raw)} sigmas for {len(joints)} joints: give one per joint")
        return tuple(float(value) for value in raw)

    def lists(self, entry: str) -> dict[str, tuple[str, ...]]:
        raw = self.raw.get(entry, {})
        if not isinstance(raw, dict):
            raise InputError(f"{self.origin} has {entry} = {raw!r:.60}: write a table [{entry}] of lists of joints")
        found: dict[str, tuple[str, ...]] = {}
        for name, members in cast(dict[str, Any], raw).items():
            if not isinstance(members, list) or not members:
                raise InputError(f"{self.origin} has {entry}.{name} = {members!r:.60}: write a list of joint names")
            if not name.isprintable() or len(name) > LONGEST_NAME:
                raise InputError(f"{self.origin} has the name {name!r:.60} in '{entry}': write a word on one line")
            found[name] = tuple(str(_word(member)) for member in cast(list[Any], members))
        return found

    def derived(self, joints: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        found = self.lists("derived")
        self._known("derived", list(found), joints)
        return found

    def _list(self, entry: str) -> list[Any]:
        raw = self.raw.get(entry, [])
        if not isinstance(raw, list):
            raise InputError(f"{self.origin} has {entry} = {raw!r:.60}: write a list")
        return cast(list[Any], raw)

    def _known(self, entry: str, names: Sequence[str], joints: tuple[str, ...]) -> None:
        unknown = sorted(set(names) - set(joints))
        if unknown:
            raise InputError(f"{self.origin} has {entry} with unknown joints {unknown}: name them in 'joints' first")


def _word(name: Any) -> Any:
    return joint_word(name) if isinstance(name, str) else name


def _is_word(word: str) -> bool:
    return word.replace("_", "a").isalnum() and word.isascii() and word == word.lower()

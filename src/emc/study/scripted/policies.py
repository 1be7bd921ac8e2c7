"""Ways of working: who looks at what, in which order, and with which of the editor's means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from emc.pose.records import Provenance
from emc.study.scripted.sight import Sight
from emc.study.scripted.user import ScriptedUser

MOST_CLICKS = 3
"""Clicks in one picture whose joint lies outside of it; then it is given up."""
NOTHING_OPEN = ("no open alert is left", "nothing else is open")


@dataclass(frozen=True, slots=True)
class EditorTools:
    """Which of the editor's means are used.

    whole : sheets of each joint's whole way. queue : of flagged runs, with sheets of runs. highlight : after a fix
    only the pictures that the page marks as changed are looked at again. operations : swap and confirm on runs.
    """

    whole: bool = True
    queue: bool = True
    sheet: bool = True
    highlight: bool = True
    candidates: bool = True
    operations: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """A way of working: its name, what it does, whether fixes repair their run, whether the model's flags show, and
    whether candidates are looked at (else the page need not ask for them).
    """

    name: str
    work: Callable[[ScriptedUser], None]
    propagation: bool
    flags: bool = True
    candidates: bool = True


def click_all(user: ScriptedUser) -> None:
    """Place every joint of every frame by a click, in the order of the skeleton.

    Charged as a tool made for it: one thought, one aimed movement, one click for each joint; choosing the joint, which
    our page needs, costs nothing.
    """
    sight = user.look()
    for frame in range(sight.frames):
        sight = user.key(".", "step", moved=True) if frame else sight
        for joint in range(len(sight.joints)):
            if user.oracle.knows(frame, joint):
                here = _chosen(user, sight, joint)
                user.place(here, joint, "click", wait=False)
        user.free(lambda: None)


def drag_flagged(user: ScriptedUser) -> None:
    """Go through the frames, look at each skeleton, and drag what seems wrong: flags show where to look."""
    sight = _at_first_frame(user)
    for frame in range(sight.frames):
        sight = user.key(".", "step", moved=True) if frame else sight
        check_frame(user, sight)


def full(means: EditorTools) -> Callable[[ScriptedUser], None]:
    """Return our way with these means: every joint's whole way on sheets, then what the queue still holds.

    Without sheets of whole ways what nobody flagged is looked for frame by frame, after the queue.
    """

    def work(user: ScriptedUser) -> None:
        if means.whole:
            check_whole_ways(user, means)
        if means.queue:
            work_through_queue(user, means)
        if not means.whole:
            check_rest(user)

    return work


def check_whole_ways(user: ScriptedUser, means: EditorTools) -> None:
    """Look at joint after joint on the sheet of its whole way, put right what is wrong, and confirm it."""
    sight = user.key("Shift+E", "open_sheet", moved=True)
    while sight.tiles is not None:
        fix_sheet(user, sight, sight.joint, means)
        sight = user.key("Enter", "confirm", moved=True, stores=True)
        if sight.tiles is not None:
            user.glance("next_sheet", joint=sight.joint)


def check_frame(user: ScriptedUser, sight: Sight) -> None:
    """Look at a whole skeleton once, and drag each joint that seems wrong and that nobody has decided."""
    user.glance("check_frame", frame=sight.frame)
    for joint in range(len(sight.joints)):
        # As it is drawn now: the fix before may have moved this joint too.
        seen = user.look().joints[joint]
        if seen.provenance >= Provenance.HUMAN or seen.xy is None:
            continue
        if user.oracle.looks_wrong(sight.frame, joint, seen.xy, alone=seen.flagged):
            user.drag(_chosen(user, user.look(), joint), joint)


def work_through_queue(user: ScriptedUser, means: EditorTools) -> None:
    """Go from flagged run to flagged run until nothing is open."""
    sight = user.look()
    if not _nothing_open(sight):
        sight = user.key("Tab", "arrive", moved=True)
    while not _nothing_open(sight):
        run = sight.run or (sight.frame, sight.frame)
        decided = decide(user, sight, means)
        if run[0] == run[1]:
            sight = next_run(user, decided)
        elif means.sheet:
            sight = check_run(user, sight, means)
        else:
            sight = check_run_by_frames(user, sight, run, means)


def decide(user: ScriptedUser, sight: Sight, means: EditorTools) -> bool:
    """Check the joint that the page brought, and correct it where it seems wrong; return whether it was."""
    joint, seen = sight.joint, sight.joints[sight.joint]
    if seen.provenance >= Provenance.HUMAN or not user.oracle.looks_wrong(sight.frame, joint, seen.xy):
        return False
    right = [
        key for key, xy in sight.candidates if user.oracle.off(sight.frame, joint, xy) <= user.oracle.person.limit / 2
    ]
    if means.candidates and right:
        user.key(right[0], "candidate", frame=sight.frame, joint=joint, stores=True, corrects=True)
    else:
        user.place(sight, joint, "place")
    return True


def next_run(user: ScriptedUser, decided: bool) -> Sight:
    """Confirm a run of one frame, unless placing its joint did, and go on."""
    if not decided:
        user.key("Shift+Enter", "confirm", stores=True)
    return user.key("Tab", "arrive", moved=True)


def check_run(user: ScriptedUser, sight: Sight, means: EditorTools) -> Sight:
    """Look at the run side by side, put right what is out of line, confirm it, and go to the next."""
    joint = sight.joint
    fix_sheet(user, user.key("e", "open_sheet", moved=True), joint, means)
    if not means.operations:
        user.key("Escape", "step", moved=True)
        return next_run(user, decided=False)
    sight = user.key("Enter", "confirm", moved=True, stores=True)
    # The same key confirms and brings the next run: its joint needs a thought of its own.
    user.glance("next_joint", frame=sight.frame, joint=sight.joint)
    return sight


def check_run_by_frames(user: ScriptedUser, sight: Sight, run: tuple[int, int], means: EditorTools) -> Sight:
    """Without the sheet: step through the run, look at the joint on each frame, confirm it at the end."""
    joint, start = sight.joint, sight.frame
    frames = [*range(start + 1, run[1] + 1), *range(start - 1, run[0] - 1, -1)]
    for frame in frames:
        while sight.frame != frame:
            sight = user.key("." if frame > sight.frame else ",", "step", moved=True)
        user.glance("check_frame", frame=frame, joint=joint)
        seen = sight.joints[joint]
        if seen.provenance < Provenance.HUMAN and user.oracle.looks_wrong(frame, joint, seen.xy):
            sight = _chosen(user, sight, joint)
            user.place(sight, joint, "place")
            sight = user.look()
    return next_run(user, decided=False)


def fix_sheet(user: ScriptedUser, sight: Sight, joint: int, means: EditorTools) -> None:
    """Scan a contact sheet; click the middle of the longest stretch that is wrong, look at what changed, and so on.

    Where the joint lies outside of its picture the click can only go to the border; the picture then shows what is
    around there, and is clicked again.
    """
    tiles = {tile.frame: tile for tile in sight.tiles or ()}
    user.glance("scan", glances=len(tiles), joint=joint)
    done: set[int] = set()
    clicks: Counter[int] = Counter()
    bad = {frame for frame, tile in tiles.items() if user.oracle.looks_wrong(frame, joint, tile.xy)}
    again: int | None = None
    while bad:
        frame = middle_of_longest(sorted(tiles), bad) if again is None else again
        clicks[frame] += 1
        after, inside = user.place_in_tile(tiles[frame], joint)
        again = None if inside or clicks[frame] == MOST_CLICKS else frame
        if again is None:
            done.add(frame)
        now = {tile.frame: tile for tile in after.tiles or ()}
        changed = [f for f, tile in now.items() if f != frame and tile.changed]
        user.glance("scan", glances=len(changed) if means.highlight else len(now), joint=joint)
        seen = {f for f in changed if user.oracle.looks_wrong(f, joint, now[f].xy)}
        bad = ((bad - set(changed)) | seen) - done
        tiles = now


def middle_of_longest(frames: list[int], bad: set[int]) -> int:
    """Return the frame in the middle of the longest stretch of bad frames that follow each other in `frames`."""
    stretches: list[list[int]] = [[]]
    for frame in frames:
        if frame in bad:
            stretches[-1].append(frame)
        elif stretches[-1]:
            stretches.append([])
    longest = max(stretches, key=len)
    return longest[len(longest) // 2]


def check_rest(user: ScriptedUser) -> None:
    """Look for errors that nobody flagged: every frame once, from the first."""
    sight = _at_first_frame(user)
    for frame in range(sight.frames):
        sight = user.key(".", "step", moved=True) if frame else sight
        check_frame(user, sight)


def _chosen(user: ScriptedUser, sight: Sight, joint: int) -> Sight:
    """Choose a joint in the list without charge; return where the page then shows what."""
    user.page.evaluate("(joint) => document.querySelectorAll('[data-joint]')[joint].click()", joint)
    scale, x, y = user.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => { const p = document.getElementById('picture'), "
        "b = p.getBoundingClientRect(), [s, x, y] = p.dataset.view.split(' ').map(Number); "
        "done([s, x + b.left, y + b.top]); }))"
    )
    return replace(sight, view=(scale, x, y))


def _at_first_frame(user: ScriptedUser) -> Sight:
    """Drag the frame's slider to its start: one aimed movement, charged as a key."""
    sight = user.look()
    if sight.frame == 0:
        return sight
    slider = user.page.get_by_label("Frame", exact=True).and_(user.page.locator("input"))
    sight = user.free(lambda: (slider.fill("0"), user.page.locator("#picture").focus(), user.page.keyboard.press("f")))
    user.glance("step")
    return sight


def _nothing_open(sight: Sight) -> bool:
    return any(words in sight.heard for words in NOTHING_OPEN)


_WHOLE = EditorTools()
_NO_SHEETS = replace(_WHOLE, whole=False, sheet=False)
POLICIES: tuple[Policy, ...] = (
    Policy("click_all", click_all, propagation=False, flags=False, candidates=False),
    Policy("drag_flagged", drag_flagged, propagation=False, candidates=False),
    Policy("full", full(_WHOLE), propagation=True),
    Policy("full_without_whole_ways", full(replace(_WHOLE, whole=False)), propagation=True),
    Policy("full_without_queue", full(replace(_WHOLE, queue=False)), propagation=True),
    Policy("full_without_highlight", full(replace(_WHOLE, highlight=False)), propagation=True),
    Policy("full_without_candidates", full(replace(_WHOLE, whole=False, candidates=False)), propagation=True),
    Policy("full_without_propagation", full(_WHOLE), propagation=False),
    Policy("full_without_operations", full(replace(_WHOLE, whole=False, operations=False)), propagation=True),
    Policy("full_without_sheet", full(_NO_SHEETS), propagation=True),
)
"""Candidates and operations on runs only serve where the queue has work left: these two are told against
``full_without_whole_ways``, the others against ``full``."""

"""How long it takes to correct a clip, by our editor and by others' ways: a scripted user in a real Chromium.

Usage: python benchmarks/editor/ergonomics.py [--quick] [--json] [--out ergonomics-out] [--shared ../shared/data]
       [--clips 4] [--frames 90] [--seed 82000] [--policies full drag_flagged ..] [--photos 20] [--models nano ..]
       [--only-tables]

Kicks of rendered people, and photos of `lspe/target_test` where that folder is there, are predicted by real models and
then corrected through the editor's public page by policies: place every joint (typed, clicked), drag what is flagged,
our full way, and our way without one of its means. Where joints are is known to an oracle that sees and aims as people
do (docs/ergonomics.md). Seconds are *simulated*: a keystroke-level model over the logged actions, no person was timed.
Latencies are measured. What is done already (one file for each clip and policy in --out) is not done again, so that a
run may be made in parts: each way is told over the clips that it was worked through on, each ratio over those that both
ways were. --only-tables: of what is there. Writes ergonomics.json, with every figure, and ergonomics.png, OKS over
simulated seconds.
--quick: one clip of 24 frames and three policies; its figures prove nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from clips import KICKS, ClipSpec, MadeClip, copy_of, make
from figure import draw
from playwright.sync_api import Browser, sync_playwright
from tables import document_of, printed

from emc.store import SqlStore
from emc.study.scripted.actions import write_log
from emc.study.scripted.klm import read_rules
from emc.study.scripted.oracle import Oracle
from emc.study.scripted.policies import POLICIES, Policy
from emc.study.scripted.sight import PATIENCE, PageStuck
from emc.study.scripted.user import ScriptedUser

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FIRST_SEED = 82_000
QUICK = ("click_all", "drag_flagged", "full")
VIEWPORT = {"width": 1440, "height": 900}


@contextmanager
def editor(project: Path) -> Iterator[str]:
    """Run `emc edit`; gives its address."""
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.terminate()
        process.wait()


def work(browser: Browser, clip: MadeClip, policy: Policy, folder: Path) -> None:
    """Let a policy correct a copy of the clip; keeps its log and the journal's edits beside it."""
    project = copy_of(clip, folder / "work.emc", policy.flags)
    with editor(project) as address:
        context = browser.new_context(viewport=VIEWPORT)
        repair = "on" if policy.propagation else "off"
        context.add_init_script(f"localStorage.setItem('emc.repair', '{repair}')")
        if not policy.candidates:
            # What this way of working never looks at need not be computed for it.
            context.route(re.compile(r"/(candidates|warm)"), lambda route: route.abort())
        context.set_default_timeout(2 * PATIENCE)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#picture[data-drawn]:not([data-drawn=''])")
        page.wait_for_selector("[data-joint]")
        page.keyboard.press("f")
        oracle = Oracle(clip.truth, read_rules().person, clip.spec.seed)
        user = ScriptedUser(page, oracle, lambda: len(edits_of(folder)))
        policy.work(user)
        context.close()
    write_log(folder / "log.jsonl", user.log)


def done(folder: Path) -> bool:
    return (folder / "log.jsonl").is_file()


def run_all(clips: list[MadeClip], policies: list[Policy], out: Path) -> None:
    args = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        for policy, clip in ((policy, clip) for policy in policies for clip in clips):
            folder = out / "runs" / clip.spec.name / policy.name
            if done(folder):
                continue
            folder.mkdir(parents=True, exist_ok=True)
            started = time.monotonic()
            try:
                work(browser, clip, policy, folder)
            except PageStuck as stuck:
                # The others are worked through all the same; the next run tries this one again.
                sys.stderr.write(f"ergonomics: {clip.spec.name}, {policy.name}: {stuck}\n")
                continue
            took = time.monotonic() - started
            sys.stderr.write(f"ergonomics: {clip.spec.name}, {policy.name}: worked through in {took:.0f} s\n")
        browser.close()


def edits_of(folder: Path) -> list[Any]:
    with SqlStore.open(folder / "work.emc") as store:
        return [edit for clip in store.clips() for edit in store.edits(clip.id)]


def specs(given: argparse.Namespace) -> list[ClipSpec]:
    if given.quick:
        return [ClipSpec("front_kick", given.seed, 24, "nano")]
    kicks = [
        ClipSpec(KICKS[(given.seed + i) % len(KICKS)], given.seed + i, given.frames, model)
        for model in given.models
        for i in range(given.clips)
    ]
    photos = [ClipSpec("photos", given.seed, given.photos, model) for model in given.models]
    return kicks + (photos if given.photos and (given.shared / "lspe").is_dir() else [])


def models(given: argparse.Namespace) -> list[str]:
    """Return the models: `nano`, and MoveNet's file where it is there."""
    movenet = given.shared / "weights" / "movenet_mbv3.onnx"
    return ["nano", *([str(movenet)] if movenet.is_file() else [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("ergonomics-out"))
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", SHARED)))
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--models", nargs="+", default=None)
    parser.add_argument("--only-tables", action="store_true")
    parser.add_argument("--policies", nargs="+", default=None, choices=[policy.name for policy in POLICIES])
    given = parser.parse_args()
    given.models = given.models or models(given)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    names = given.policies or (QUICK if given.quick else [policy.name for policy in POLICIES])
    given.out.mkdir(parents=True, exist_ok=True)
    clips = [make(spec, given.out, given.shared / "lspe") for spec in specs(given)]
    chosen = [policy for name in names for policy in POLICIES if policy.name == name]
    if not given.only_tables:
        run_all(clips, chosen, given.out)
    document = document_of(clips, names, given.out, edits_of)
    (given.out / "ergonomics.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    draw(document["populations"], given.out / "ergonomics.png")
    sys.stdout.write((json.dumps(document) if given.json else printed(document)) + "\n")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()

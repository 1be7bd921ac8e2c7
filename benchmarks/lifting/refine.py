"""Measure what each refinement after the lifter gains: `python refine.py [--shared FOLDER] [--json]`.

Three populations, each seen with errors in its 2D joints: rendered kicks (clips as the package renders them, with
their own, partly moving cameras), uncommon motion capture (DeepMimic kick, cartwheel, roll, dances) and common motion
capture (CMU test clips), through seeded virtual cameras. None of these clips was used to tune the refinement; its few
constants were set on the package's motion with other seeds, CMU training clips and DeepMimic's punch, jump and walks.

``--parts`` picks from: gain (MPJPE, P-MPJPE in mm, MPJVE in mm per frame, spread of bone lengths in %; every piece
alone, the default, the default less each piece, and other filters), peaks (peak ankle speed of kicks), place (root
trajectory, floor, contacts), sigma (is the stated uncertainty honest), alerts (lift residual against wrong joints),
speed (frames per second), prior (how far the bare lifter errs). Gains are paired differences with 95 % intervals over
clips.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from emc.config import LiftSettings
from emc.lifters.temporal import TemporalSmallLifter
from emc.lifters.virtual_camera import View, coco_from_h36m, detector_noise, random_camera, rooted, view
from emc.pose.geometry import Camera
from emc.pose.metrics import (
    mean_error,
    mpjpe_errors,
    mpjve_errors,
    p_mpjpe_errors,
    percentile_interval,
    resample_weights,
)
from emc.pose.motion import LiftedSequence, height_above
from emc.pose.motion.ground import LEVEL_FLOOR, tilt_between
from emc.pose.skeletons import ANKLES, bone_lengths, stature_of
from emc.pose.skeletons.spatial import length_spread
from emc.stages.lift import reprojection_residual
from emc.stages.refine import Camera2D, refine_sequence
from emc.synth.motion.motions import KICKS

SEED = 616_000
FPS = 30.0
NOISE = 0.012
UNCOMMON = ("kick", "cartwheel", "roll", "dance_a", "dance_spin")
DEFAULT = tuple(LiftSettings().refine)
PARTS = ("gain", "peaks", "place", "sigma", "alerts", "speed", "prior")


@dataclass(frozen=True)
class Case:
    """One clip through one camera: the clip (what intervals are over), exact and noisy view, and the true floor."""

    clip: str
    exact: View
    noisy: View
    floor: np.ndarray

    def lifted(self, lifter: TemporalSmallLifter, exact: bool = False) -> LiftedSequence:
        """Lift what is seen, with errors or exactly."""
        seen = self.exact if exact else self.noisy
        xyz = lifter.lift(seen.xy, seen.confidence, seen.camera.size)
        return LiftedSequence(0, np.arange(len(xyz)), xyz, seen.confidence.mean(axis=1).astype(np.float32))


def camera_floor(camera: Camera) -> np.ndarray:
    normal = camera.rotation @ np.array([0.0, 1.0, 0.0])
    return np.append(normal, -normal @ camera.translation)


def seen(name: str, exact: View, rng: np.random.Generator) -> Case:
    xy, confidence = detector_noise(exact.xy, NOISE, rng)
    noisy = View(xy, confidence, exact.xyz, exact.camera, exact.pelvis)
    return Case(name, exact, noisy, camera_floor(exact.camera))


def mocap_cases(shared: Path, wanted: Callable[[str], bool], cameras: int) -> Iterator[Case]:
    with np.load(shared / "mocap" / "mocap.npz") as file:
        clips = {name: rooted(file[name]) for name in file.files if wanted(name)}
    for index, (name, h36m) in enumerate(clips.items()):
        for number in range(cameras):
            rng = np.random.default_rng([SEED, index, number])
            yield seen(name, view(h36m, coco_from_h36m(h36m), random_camera(h36m, rng)), rng)


def rendered_cases(count: int) -> Iterator[Case]:
    """Yield kicks as `emc.synth.scene.scene` stages them, without painting the frames."""
    from emc.synth.scene import make_clip

    for number in range(count):
        clip = make_clip(KICKS[number % len(KICKS)], SEED + number, seconds=3.0, fps=FPS, size=(640, 480))
        frames = range(len(clip))
        body = clip.actors[0].motion
        offset = clip.scene.offsets[0]
        cameras = [clip.scene.camera(frame) for frame in frames]
        xy = np.stack([camera.project(body.coco[f] + offset) for f, camera in zip(frames, cameras, strict=True)])
        h36m = np.stack([camera.to_camera(body.h36m[f] + offset) for f, camera in zip(frames, cameras, strict=True)])
        first = Camera(cameras[0].K, cameras[0].R, cameras[0].t, clip.scene.size)
        exact = View(xy, np.ones(xy.shape[:2]), h36m - h36m[:, :1], first, h36m[:, 0])
        yield seen(f"{KICKS[number % len(KICKS)]}_{number}", exact, np.random.default_rng([SEED, 9, number]))


def populations(shared: Path | None, cameras: int, rendered: int) -> dict[str, list[Case]]:
    sets = {"rendered kicks": list(rendered_cases(rendered))}
    if shared is not None:
        sets["uncommon mocap"] = list(
            mocap_cases(shared, lambda n: n.startswith("deepmimic/") and n.split("/")[1] in UNCOMMON, cameras)
        )
        sets["common mocap"] = list(
            mocap_cases(shared, lambda n: n.startswith("cmu/") and n.endswith("_test"), max(1, cameras // 4))
        )
    return sets


def refined(
    case: Case,
    sequence: LiftedSequence,
    names: Collection[str],
    focal: bool = False,
    exact: bool = False,
    height: float | None = None,
) -> LiftedSequence:
    source = case.exact if exact else case.noisy
    length = float(source.camera.intrinsic[0, 0]) if focal else None
    camera = Camera2D(source.camera.size, FPS, length, height)
    return refine_sequence(sequence, source.xy, source.confidence, camera, names)


def measures(xyz: np.ndarray, truth: np.ndarray) -> np.ndarray:
    kinds = (mpjpe_errors, p_mpjpe_errors, mpjve_errors)
    found = [mean_error(kind(xyz.astype(np.float64), truth)) for kind in kinds]
    return np.array([*found, 100 * float(length_spread(xyz)[1:].mean())])


def interval(values: np.ndarray, clips: list[str]) -> tuple[float, list[float] | None]:
    """Return the mean over clips of the clips' means, and its 95 % interval over clips."""
    units = sorted(set(clips))
    means = np.array([values[[c == unit for c in clips]].mean() for unit in units])
    weights = resample_weights(len(units), 1000, 0)
    found = percentile_interval(float(means.mean()), weights @ means / len(units), len(values), len(units))
    return found.value, list(found.ci95) if found.ci95 else None


def variants() -> dict[str, tuple[str, ...]]:
    rows: dict[str, tuple[str, ...]] = {
        "savgol": ("savgol",), "butterworth": ("butterworth",), "bones": ("bones",), "limits": ("limits",),
        "fit": ("fit",), "smooth": ("smooth",), "default": DEFAULT,
    }  # fmt: skip
    for piece in ("bones", "fit", "smooth", "contacts"):
        rows[f"default - {piece}"] = tuple(name for name in DEFAULT if name != piece)
    rows["default + limits"] = (*DEFAULT, "limits")
    return rows


def part_gain(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    document: dict[str, object] = {}
    clips = [case.clip for case in cases]
    for when in ("noisy", "exact"):
        exact = when == "exact"
        lifted = [case.lifted(lifter, exact) for case in cases]
        plain = np.array([measures(s.xyz, c.exact.xyz) for s, c in zip(lifted, cases, strict=True)])
        rows = {"plain": {"value": plain.mean(axis=0).round(2).tolist()}}
        for name, pieces in variants().items():
            if exact and name not in ("default", "savgol"):
                continue
            after = np.array(
                [
                    measures(refined(c, s, pieces, exact=exact).xyz, c.exact.xyz)
                    for s, c in zip(lifted, cases, strict=True)
                ]
            )
            gain, ci95 = interval((plain - after)[:, 0], clips)
            rows[name] = {
                "value": after.mean(axis=0).round(2).tolist(),
                "mpjpe_gain": round(gain, 2),
                "ci95": [round(v, 2) for v in ci95] if ci95 else None,
            }
        document[when] = rows
    return document


def part_peaks(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    """Peak speed of the quicker ankle around the pelvis, as a share of the true peak; and MPJVE."""
    rows: dict[str, list[tuple[float, float]]] = {}
    filters = {
        "plain": (), "savgol": ("savgol",), "butterworth 6 Hz": ("butterworth",), "bones, fit": ("bones", "fit"),
        "bones, fit, butterworth 6 Hz": ("bones", "fit", "butterworth"),
        "bones, fit, smooth": ("bones", "fit", "smooth"), "default": DEFAULT,
    }  # fmt: skip
    for case in cases:
        sequence = case.lifted(lifter)
        true = peak_speed(case.exact.xyz)
        for name, pieces in filters.items():
            xyz = refined(case, sequence, pieces).xyz if pieces else sequence.xyz
            error = mean_error(mpjve_errors(xyz.astype(np.float64), case.exact.xyz))
            rows.setdefault(name, []).append((peak_speed(xyz) / true, error))
    clips = [case.clip for case in cases]
    found = {}
    for name, values in rows.items():
        share, ci95 = interval(np.array(values)[:, 0], clips)
        off = float(np.abs(np.array(values)[:, 0] - 1).mean())
        found[name] = {"peak_share": share, "ci95": ci95, "off": off, "mpjve": float(np.array(values)[:, 1].mean())}
    return found


def peak_speed(xyz: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(xyz[:, list(ANKLES)], axis=0), axis=-1).max() * FPS)


def part_place(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    rows: dict[str, list[list[float]]] = {}
    for case in cases:
        sequence = case.lifted(lifter)
        for name, pieces in (
            ("root", ("root",)),
            ("default less contacts", tuple(p for p in DEFAULT if p != "contacts")),
            ("default", DEFAULT),
        ):
            stature = stature_of(np.median(bone_lengths(case.exact.xyz), axis=0))
            for known, focal, height in (
                ("nothing known", False, None),
                ("focal known", True, None),
                ("focal and height known", True, stature),
            ):
                found = refined(case, sequence, pieces, focal, height=height)
                rows.setdefault(f"{name}, {known}", []).append(place(case, found))
    names = (
        "root_mm", "path_mm", "speed_mm_per_frame", "tilt_degrees", "level_tilt_degrees", "contact_precision",
        "contact_recall", "slide_mm_per_frame",
    )  # fmt: skip
    return {
        name: dict(zip(names, np.nanmean(values, axis=0).round(2).tolist(), strict=True))
        for name, values in rows.items()
    }


def place(case: Case, found: LiftedSequence) -> list[float]:
    root, true = found.root.astype(np.float64), case.exact.pelvis
    path = (root - root.mean(axis=0)) - (true - true.mean(axis=0))
    moved = np.diff(root, axis=0) - np.diff(true, axis=0)
    ankles = case.exact.xyz[:, list(ANKLES)] + true[:, None]
    height = height_above(ankles, case.floor)
    speed = np.linalg.norm(np.gradient(ankles, axis=0), axis=-1) * FPS
    stands = (speed < 0.3) & (height < np.percentile(height, 5) + 0.06)
    said = found.contact > 0.5
    both = stands[1:] & stands[:-1]
    own = (found.xyz + found.root[:, None])[:, list(ANKLES)]
    slide = np.linalg.norm(np.diff(own, axis=0), axis=-1)[both] * 1000
    right = float((stands & said).sum())
    return [
        float(np.linalg.norm(root - true, axis=1).mean() * 1000),
        float(np.linalg.norm(path, axis=1).mean() * 1000),
        float(np.linalg.norm(moved, axis=1).mean() * 1000),
        tilt_between(found.floor, case.floor),
        tilt_between(LEVEL_FLOOR, case.floor),
        right / said.sum() if said.any() else np.nan,
        right / stands.sum() if stands.any() else np.nan,
        float(slide.mean()) if slide.size else np.nan,
    ]


def part_sigma(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    errors, stated = [], []
    for case in cases:
        found = refined(case, case.lifted(lifter), DEFAULT)
        errors.append(np.linalg.norm(found.xyz - case.exact.xyz, axis=-1)[:, 1:])
        stated.append(found.sigma[:, 1:])
    error, sigma = np.concatenate(errors), np.concatenate(stated)
    order = np.argsort(sigma.ravel())
    thirds = [float(part.mean() * 1000) for part in np.array_split(error.ravel()[order], 3)]
    return {
        "rms_error_mm": float(np.sqrt((error**2).mean()) * 1000),
        "rms_sigma_mm": float(np.sqrt((sigma**2).mean()) * 1000),
        "within_1_sigma": float((error < sigma).mean()),
        "within_2_sigma": float((error < 2 * sigma).mean()),
        "mean_error_mm_of_the_surest_middle_and_least_sure_third": thirds,
    }


def part_alerts(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    """Joints off by more than 8 % of the person's extent, told from the residual alone: confidences are all 1."""
    rows: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for case in cases:
        noisy = case.noisy
        sure = np.isfinite(noisy.xy).all(axis=-1).astype(np.float64)
        blind = Case(case.clip, case.exact, View(noisy.xy, sure, noisy.xyz, noisy.camera, noisy.pelvis), case.floor)
        extent = np.median((case.exact.xy.max(axis=1) - case.exact.xy.min(axis=1)).max(axis=-1))
        error = np.linalg.norm(noisy.xy - case.exact.xy, axis=-1) / extent
        counted = np.isfinite(error)
        counted[:, :5] = False
        sequence = blind.lifted(lifter)
        for name, pieces in (("the lifter's own residual", ("root",)), ("after the default", DEFAULT)):
            residual = reprojection_residual(refined(blind, sequence, pieces), noisy.xy, noisy.camera.size)
            rows.setdefault(name, []).append((residual[counted], error[counted] > 0.08))
    found = {}
    for name, parts in rows.items():
        score, wrong = (np.concatenate(column) for column in zip(*parts, strict=True))
        flagged = score > 0.05
        found[name] = {
            "auroc": auroc(score, wrong),
            "wrong_share": float(wrong.mean()),
            "precision": float(wrong[flagged].mean()) if flagged.any() else None,
            "recall": float(flagged[wrong].mean()) if wrong.any() else None,
        }
    return found


def auroc(score: np.ndarray, positive: np.ndarray) -> float:
    ranks = np.empty(len(score))
    ranks[np.argsort(score)] = np.arange(1, len(score) + 1)
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / max(count * (len(score) - count), 1))


def part_prior(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    """RMS error of the bare lifter by joint, across the line of sight (per axis) and along it, in mm."""
    off = np.concatenate([case.lifted(lifter).xyz - case.exact.xyz for case in cases])
    across = np.sqrt((off[..., :2] ** 2).mean(axis=(0, 2))) * 1000
    along = np.sqrt((off[..., 2] ** 2).mean(axis=0)) * 1000
    return {"across": across.round().tolist(), "along": along.round().tolist()}


def part_speed(cases: list[Case], lifter: TemporalSmallLifter) -> dict[str, object]:
    frames, lift, refine = 0, 0.0, 0.0
    for case in cases[:8]:
        start = time.process_time()
        sequence = case.lifted(lifter)
        middle = time.process_time()
        refined(case, sequence, DEFAULT)
        frames += len(sequence)
        lift += middle - start
        refine += time.process_time() - middle
    return {"lift_frames_per_cpu_second": frames / lift, "refine_frames_per_cpu_second": frames / refine}


def show(name: str, document: dict[str, object]) -> None:
    print(f"\n{name}")
    for part, found in document.items():
        print(f"  {part}")
        for row, value in found.items():
            if part == "gain":
                print(f"    {row}")
                for variant, one in value.items():
                    tail = f"  gain {one['mpjpe_gain']} {one['ci95']}" if "mpjpe_gain" in one else ""
                    print(f"      {variant:22} MPJPE / P / MPJVE / bones % {one['value']}{tail}")
            else:
                print(f"    {row}: {json.dumps(value)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED") or "../shared/data"))
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated")
    parser.add_argument("--cameras", type=int, default=4, help="views of each mocap clip")
    parser.add_argument("--rendered", type=int, default=18, help="rendered kicks")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lifter = TemporalSmallLifter()
    shared = arguments.shared if (arguments.shared / "mocap" / "mocap.npz").is_file() else None
    parts = {name: globals()[f"part_{name}"] for name in arguments.parts.split(",")}
    document = {}
    for name, cases in populations(shared, arguments.cameras, arguments.rendered).items():
        document[name] = {part: measure(cases, lifter) for part, measure in parts.items()}
        if not arguments.json:
            show(name, document[name])
    if arguments.json:
        print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

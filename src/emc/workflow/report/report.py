"""A calibration's report: the document, the pictures it shows, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings, stored_settings
from emc.errors import EmcError
from emc.interfaces import Progress, Store, Trainable
from emc.pose.records import RENDERED_TAG, TEST_TAG, Clip, Prediction, Role, Sample
from emc.pose.skeletons import Skeleton
from emc.stages.choose import refused_checkpoints
from emc.stages.evaluate import joint_hits, score_confidence
from emc.stages.report import (
    VideoPreview,
    build_report,
    drawing_of,
    example_of,
    pick_examples,
    render_html,
    sequence_medium,
    video_preview,
)
from emc.stages.video import on_canvas
from emc.version import __version__
from emc.workflow.calibration import Calibration, ladder_entry, newest_calibration, original_pixels, project_effort
from emc.workflow.doctor import environment
from emc.workflow.files import write_bytes, write_json
from emc.workflow.media import open_clip
from emc.workflow.predict import model_key, read_confidence
from emc.workflow.progress import Silent
from emc.workflow.project import calibrated_skeleton, with_joints
from emc.workflow.report.checkpoint_pictures import PICTURE, checkpoint_grid
from emc.workflow.report.tables import table_of, write_tables
from emc.workflow.samples import load_samples
from emc.workflow.scoring import head_name, predict_samples

SEQUENCE = "sequence.json"
PREVIEW_FRAMES = 120
"""Pictures of the video that the report's 3D viewer has at most: each weighs about 10 kB in the page."""
CAVEATS = (
    "COCO-17 has neither neck nor head top: the head size that PCKh is relative to is a named choice, printed with "
    "every score.",
    "OKS-AP here is AP on given boxes: it measures the pose model alone, not the person detector.",
)


@dataclass(frozen=True, slots=True)
class Lifted3D:
    """3D of the held-out clips: scores before and after, and (T, 17, 3) sequences per clip in metres."""

    scores: Mapping[str, dict[str, object]]
    before: Mapping[str, np.ndarray]
    after: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]


def report_project(
    store: Store,
    settings: Settings,
    out: Path,
    name: str | None = None,
    progress: Progress | None = None,
    parts: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the report of a finished calibration (the newest, or the named one) into the folder `out`."""
    progress = progress or Silent()
    done = newest_calibration(store, name)
    options = stored_settings(done.ladder["settings"])
    return write_project_report(store, done, options, out, None, progress, parts)


def write_project_report(
    store: Store,
    done: Calibration,
    settings: Settings,
    out: Path,
    three_d: Lifted3D | None,
    progress: Progress,
    parts: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the report into `out` and return its document.

    The files are ``report.json``, ``report.html``, the tables ``scores.md``, ``scores.tex`` and ``scores.csv`` (of the
    body parts `parts`), and, where there is a frame to draw, ``checkpoints.png``: hard frames drawn by every
    checkpoint (`report_files` names those of a document).
    """
    progress.start("report", None)
    samples = measured_samples(store, done, progress)
    before, after = both_predictions(done, settings, samples)
    examples, media = shown_examples(settings, samples, before, after, calibrated_skeleton(done.folder))
    grid = checkpoint_grid(done, settings, samples, before)
    if grid is not None:
        media[PICTURE] = grid[1]
    lifted = None
    if three_d is not None:
        clip = clip_to_show(three_d)
        tracks = {"before": three_d.before[clip], "after": three_d.after[clip], "truth": three_d.truth[clip]}
        shown = store.clip(clip)
        film = preview_of(shown, len(three_d.truth[clip]), progress)
        media[SEQUENCE] = sequence_medium(tracks, clip, shown.played_fps, film=film)  # pyright: ignore[reportArgumentType]
        lifted = {"before": three_d.scores["before"], "after": three_d.scores["after"], "sequence": SEQUENCE}
    document = build_report(
        version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=environment(),
        seeds={"calibrate": settings.calibrate.seed, "bootstrap": settings.evaluate.seed},
        data=data_of(store, done.card),
        ladder=[
            {key: row[key] for key in ("step", "target", "common") if row[key] is not None}
            for row in done.ladder["ladder"]
        ],
        chosen=done.ladder["chosen"]
        | {
            "budget": settings.calibrate.budget,
            "parts": list(settings.calibrate.parts),
            "refused": refused_steps(done.ladder["ladder"], settings),
            "chosen_on": "validation",
        },
        before_after=done.ladder["before_after"],
        three_d=lifted,
        effort=project_effort(store, settings),
        title=f"Calibration of {done.card['base']}",
        strategy=settings.calibrate.strategy,
        scored_on=scored_on(done),
        skeleton=drawing_of(calibrated_skeleton(done.folder)) if examples else None,
        examples=examples or None,
        checkpoint_grid=None if grid is None else grid[0],
        confidence=confidence_of(store, done, settings, samples, before, after),
        card=done.card,
        notes=[*CAVEATS, *done.card["warnings"]],
    )
    write_json(out / "report.json", document)
    write_tables(out, table_of([done.ladder], parts))
    write_bytes(out / "report.html", render_html(document, media).encode("utf-8"))
    if grid is None:
        # An older report's picture beside this one would show another calibration's frames.
        (out / PICTURE).unlink(missing_ok=True)
    else:
        write_bytes(out / PICTURE, grid[1])
    progress.finish()
    return document


def report_files(document: Mapping[str, Any]) -> list[str]:
    """Return the names of the files that `write_project_report` wrote for a document."""
    names = ["report.html", "report.json", "scores.md", "scores.tex", "scores.csv"]
    return [*names, PICTURE] if document.get("checkpoint_grid") else names


def preview_of(clip: Clip, frames: int, progress: Progress) -> VideoPreview | None:
    """Return pictures of a clip's first frames, thinned out to `PREVIEW_FRAMES`; None where media are missing."""
    every = max(1, -(-frames // PREVIEW_FRAMES))
    try:
        with open_clip(clip) as media:
            last = min(frames, clip.frames) - 1
            return video_preview(
                (on_canvas(image, clip.width, clip.height) for _, image in media.frames(last=last, step=every)),
                every,
                clip.id,
            )
    except (EmcError, OSError) as error:
        progress.say(f"note: the 3D viewer shows no video of {clip.id}: {error}")
        return None


def data_of(store: Store, card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report's ``data``: counts of what trained and chose (not the test clips), tags, mix and leaks.

    ``rendered`` of a role is the share of its clips, test clips among them, whose people the package rendered.
    """
    data: dict[str, Any] = {"leaks": card["leaks"]}
    mix = card["mix"]
    data["mix"] = {"asked": mix["asked"], "served": mix["served"], "served_samples": mix.get("served_samples")}
    for role in Role:
        counts = [split[role.value] for name, split in card["counts"].items() if name != "test"]
        total = {name: sum(count[name] for count in counts) for name in ("clips", "frames", "persons")}
        data[role.value] = total | {
            "tags": card["tags"].get(role.value, {}),
            "rendered": rendered_share(store.clips(role), role is Role.COMMON and stands_in(card)),
        }
    return data


def rendered_share(clips: Sequence[Clip], stand_ins: bool) -> float:
    """Return the share of clips with rendered people; stand_ins : rendered people take the place of the clips."""
    if stand_ins:
        return 1.0
    rendered = [clip for clip in clips if clip.tags.get(RENDERED_TAG[0]) == RENDERED_TAG[1]]
    return round(len(rendered) / len(clips), 4) if clips else 0.0


def stands_in(card: Mapping[str, Any]) -> bool:
    """Return whether rendered people stood in for common clips that the project does not have."""
    return str(card.get("common_source", "")).startswith("rendered")


def scored_on(done: Calibration) -> str:
    """Return the sentence that says which persons the ladder was scored on."""
    if done.ladder["scored_on"] == "test":
        return "Scored on held-out clips (split=test) of persons that no checkpoint was trained on or chosen by."
    return "Scored on validation, which also chose the checkpoint: the figures are somewhat too good."


def shown_examples(
    settings: Settings,
    samples: Sequence[Sample],
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    skeleton: Skeleton,
) -> tuple[list[dict[str, Any]], dict[str, bytes | str]]:
    """Return the persons of target clips to show before and after, and their pictures."""
    if not samples:
        return [], {}
    head = head_name(samples, settings.evaluate, skeleton)
    hits = [joint_hits(found, samples, skeleton, head, settings.evaluate.alpha) for found in (before, after)]
    entries: list[dict[str, Any]] = []
    media: dict[str, bytes | str] = {}
    for number, (index, kind) in enumerate(pick_examples(hits[0], hits[1])):
        name = f"example_{number}.jpg"
        pair = (hits[0][index], hits[1][index])
        entry, picture = example_of(kind, samples[index], before[index], after[index], pair, name)
        entries.append(entry)
        media[name] = picture
    return entries, media


def measured_samples(store: Store, done: Calibration, progress: Progress) -> list[Sample]:
    """Return the target persons that the ladder was measured on."""
    targets = [clip for clip in store.clips(Role.TARGET)]
    if done.ladder["scored_on"] == "test":
        chosen = [clip for clip in targets if clip.tags.get(TEST_TAG[0]) == TEST_TAG[1]]
    else:
        held = set(done.card["splits"]["validation"])
        chosen = [clip for clip in targets if clip.group in held]
    return load_samples(store, chosen, progress)


def both_predictions(done: Calibration, settings: Settings, samples: Sequence[Sample]) -> tuple[list[Any], list[Any]]:
    """Return the predictions of the base and of the chosen model for the same samples."""
    if not samples:
        return [], []
    base = plugins.estimator_for(settings.predict.estimator)
    engine = settings.predict.engine
    before = predict_samples(with_joints(base, calibrated_skeleton(done.folder)), samples, engine)
    step = int(done.ladder["chosen"]["step"])
    if step == 0 or not isinstance(base, Trainable):
        return before, before
    return before, predict_samples(plugins.estimator_for(str(done.folder / f"step_{step}")), samples, engine)


def confidence_of(
    store: Store,
    done: Calibration,
    settings: Settings,
    samples: Sequence[Sample],
    before: Sequence[Prediction],
    after: Sequence[Prediction],
) -> dict[str, Any] | None:
    """Return the report's ``confidence``: the models' own and the fitted one, on the held-out target persons.

    None where no clip is held out: the validation persons took part in the fit.
    """
    if done.ladder["scored_on"] != "test" or not samples:
        return None
    base = plugins.estimator_for(settings.predict.estimator)
    options = settings.evaluate
    rows: dict[str, Any] = {}
    sides = [("base", model_key(base), before)]
    if int(done.ladder["chosen"]["step"]) > 0:
        chosen = plugins.estimator_for(str(done.folder / "chosen"))
        sides.append(("chosen", model_key(chosen), after))
    for name, key, found in sides:
        people, predicted = original_pixels(samples, found)
        confidence = read_confidence(store, key, settings.predict)
        base = with_joints(base, calibrated_skeleton(done.folder))
        how = (
            base.skeleton,
            head_name(samples, options, base.skeleton),
            options.alpha,
            15,
            options.bootstrap,
            options.seed,
        )
        rows[f"{name}, its own"] = score_confidence(predicted, people, *how)
        if Role.TARGET in confidence.roles:
            fitted = confidence.apply(predicted, Role.TARGET, base.skeleton)
            rows[f"{name}, fitted"] = score_confidence(fitted, people, *how)
    return rows


def refused_steps(rows: Sequence[Mapping[str, Any]], settings: Settings) -> dict[str, str]:
    """Return step -> why the budget refused it, on the data that chose."""
    options = settings.calibrate
    entries = [ladder_entry(row) for row in rows]
    return {
        str(step): why
        for step, why in refused_checkpoints(entries, options.budget, certainty=options.certainty).items()
    }


def clip_to_show(three_d: Lifted3D) -> str:
    """Return the clip that the 3D viewer shows: the one whose error fell most."""

    def error(found: np.ndarray, clip: str) -> float:
        truth = three_d.truth[clip]
        return float(np.nanmean(np.linalg.norm(found - found[:, :1] - (truth - truth[:, :1]), axis=-1)))

    return max(three_d.truth, key=lambda clip: error(three_d.before[clip], clip) - error(three_d.after[clip], clip))

"""Scores that are COCO's own, of folders as they are, and skeletons of users: one test for each fault that was seen."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.label_files import annotation, coco, figure, project, settings

from emc.errors import InputError
from emc.pose.journal import invert
from emc.pose.skeletons import skeleton_from_toml
from emc.workflow.evaluate import evaluate_project
from emc.workflow.labels import import_labels, import_predictions
from emc.workflow.project import add_clips, new_project

# 6. Folders of photos, and scores that are COCO's


def reference(labels: Path, results: Path) -> list[float]:
    """Return AP, AP50, AP75, APm, APl and AR of pycocotools on the original files."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth: Any = COCO(str(labels))
        scored: Any = COCOeval(truth, truth.loadRes(str(results)), "keypoints")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return scored.stats[:6].tolist()


def guesses(labels: Path, results: Path) -> Path:
    """Write results for everybody on the images, also for crowds and people without joints: some near, some off."""
    rng = np.random.default_rng(1)
    rows: list[dict[str, Any]] = []
    for row in json.loads(labels.read_text())["annotations"]:
        table = np.array(row.get("keypoints") or [0] * 51, dtype=float).reshape(17, 3)
        x, y, w, h = row["bbox"]
        base = np.where(table[:, 2:] > 0, table[:, :2], rng.uniform([x, y], [x + w, y + h], (17, 2)))
        for _ in range(rng.integers(0, 3)):
            off = base + rng.normal(0, max(w, h) * rng.choice([0.01, 0.03, 0.1]), (17, 2))
            found = np.column_stack([off, rng.uniform(0, 1, 17)])
            found[rng.random(17) < 0.1] = 0
            rows.append({"image_id": row["image_id"], "category_id": 1, "keypoints": found.ravel().tolist(),
                         "score": round(float(rng.random()), 1)})  # fmt: skip
    results.write_text(json.dumps(rows))
    return results


@pytest.mark.shared_data
def test_6_a_coco_folder_comes_in_as_it_is_and_scores_as_pycocotools_does(shared_data: Path, tmp_path: Path) -> None:
    labels = shared_data / "coco-mini" / "person_keypoints.json"
    with new_project(tmp_path / "p") as store:
        added = add_clips(store, [labels.parent / "images"])
        (done,) = import_labels(store, labels)
        assert (added.failures, added.clips[0].frames, done.persons, done.said[0]) == (
            (),
            53,
            147,
            "frames by file name",
        )
        assert "86 crowds and persons without joints are kept: scores ignore them" in done.said
        results = guesses(labels, tmp_path / "results.json")
        ours = evaluate_project(store, settings(), results=results)["target"]
        figures = [ours[name]["value"] for name in ("ap", "ap50", "ap75", "apm", "apl", "ar")]
        np.testing.assert_allclose(figures, reference(labels, results), rtol=0, atol=1e-9)
        # The images with their ignored people belong to the edit: taken back, nothing of the file counts.
        store.append_edit(invert(store.edits()[-1], store.poses("images")))
        with pytest.raises(InputError, match="result 0 has image_id .*, which no imported label file lists"):
            evaluate_project(store, settings(), results=results)


@pytest.mark.shared_data
def test_6_a_models_score_is_pycocotools_too(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import emc.workflow.scoring as scoring

    labels = shared_data / "coco-mini" / "person_keypoints.json"
    names = {row["file_name"]: row["id"] for row in json.loads(labels.read_text())["images"]}
    files = sorted(names)
    rows: list[dict[str, Any]] = []
    plain = scoring.in_original_pixels

    def noted(sample: Any, prediction: Any) -> Any:
        pair = plain(sample, prediction)
        found = np.column_stack([pair[1].xy, np.ones(17)])
        rows.append({"image_id": names[files[sample.frame]], "category_id": 1,
                     "keypoints": found.ravel().astype(float).tolist(),
                     "score": float(np.nan_to_num(prediction.confidence).mean())})  # fmt: skip
        return pair

    monkeypatch.setattr(scoring, "in_original_pixels", noted)
    with new_project(tmp_path / "p") as store:
        add_clips(store, [labels.parent / "images"])
        import_labels(store, labels)
        ours = evaluate_project(store, settings())["target"]
    (tmp_path / "results.json").write_text(json.dumps(rows))
    figures = [ours[name]["value"] for name in ("ap", "ap50", "ap75", "apm", "apl", "ar")]
    np.testing.assert_allclose(figures, reference(labels, tmp_path / "results.json"), rtol=0, atol=1e-9)


def test_6_an_imported_run_is_scored_without_a_model(tmp_path: Path) -> None:
    table = np.column_stack([figure(12), np.full(17, 0.5)])
    rows = [{"image_id": 9, "frame": 5, "category_id": 1, "keypoints": table.ravel().tolist(), "score": 0.5}]
    (tmp_path / "results.json").write_text(json.dumps(rows))
    with project(tmp_path) as store:
        import_labels(store, coco(tmp_path / "l.json", [{"id": 9, "frame": 5}], [annotation(1, 9, figure(10))]))
        import_predictions(store, tmp_path / "results.json", None, "coco-results", settings())
        scores = evaluate_project(store, settings(head="bbox", alpha=0.03), run="imported")
    # Off by 2 pixels everywhere; the box is 76 high: right within 0.03 x 76 = 2.28.
    assert scores["target"]["pckh"]["total"]["value"] == 1.0
    assert scores["model"].startswith("coco-results-")


# 7. Mirror joints of users' skeletons


PAIRS = [("l_hip", "r_hip"), ("hip_left", "hip_right"), ("LHip", "RHip"), ("Left Hip", "Right Hip"), ("hip.L", "hip.R")]


@pytest.mark.parametrize("pair", PAIRS)
def test_7_mirror_pairs_are_found_as_people_write_them(pair: tuple[str, str]) -> None:
    skeleton = skeleton_from_toml(f'name = "own"\njoints = ["nose", "{pair[0]}", "{pair[1]}"]')
    assert skeleton.flip == (0, 2, 1)
    assert skeleton.mirrors


def test_7_without_pairs_nothing_is_mirrored_and_that_is_said(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from emc.cli.main import app

    (tmp_path / "own.toml").write_text('name = "own"\njoints = ["alpha", "beta"]\n')
    done = CliRunner().invoke(app, ["new", str(tmp_path / "p"), "--skeleton", str(tmp_path / "own.toml"), "--json"])
    assert "no mirror joints were found in skeleton own: nothing is mirrored" in json.loads(done.stdout)["said"]

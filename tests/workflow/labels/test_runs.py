from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.integration.label_files import box_of, figure, project

from emc.pose.records import Prediction
from emc.pose.skeletons import COCO17
from emc.workflow.labels.runs import file_digest, newest_predictions, stored_run


def test_a_run_of_others_is_complete_and_kept_once(tmp_path: Path) -> None:
    sure = np.full(17, 0.5, np.float32)
    row = Prediction(59, 0, figure(10).astype(np.float32), sure, sure, box_of(figure(10)))
    with project(tmp_path) as store:
        clip = store.clip("kick")
        assert list(newest_predictions(store, clip)) == []
        run = stored_run(store, clip, "theirs", COCO17, [row], tmp_path / "f.json")
        assert stored_run(store, clip, "theirs", COCO17, [row], tmp_path / "f.json").id == run.id
        assert [p.frame for p in newest_predictions(store, clip)] == [59]
        assert (len(store.runs("kick")), store.runs("kick")[0].complete) == (1, True)


def test_a_digest_is_of_the_content_and_the_name(tmp_path: Path) -> None:
    for name, text in (("a.json", "1"), ("b.json", "1")):
        (tmp_path / name).write_text(text)
    digest = file_digest(tmp_path / "a.json")
    assert digest != file_digest(tmp_path / "b.json")
    whole = file_digest(tmp_path)
    (tmp_path / "a.json").write_text("2")
    assert (file_digest(tmp_path / "a.json") == digest, file_digest(tmp_path) == whole) == (False, False)

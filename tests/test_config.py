from __future__ import annotations

from pathlib import Path

import pytest

from emc.config import read_settings, stored_settings
from emc.errors import UsageError


def test_option_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / "emc.toml").write_text("[calibrate]\nsteps = 10\nbatch = 5\nseed = 3\n")
    settings = read_settings(
        tmp_path, {"EMC_CALIBRATE__STEPS": "20", "EMC_CALIBRATE__BATCH": "6"}, calibrate={"steps": 30}
    )
    assert (settings.calibrate.steps, settings.calibrate.batch, settings.calibrate.seed) == (30, 6, 3)


def test_none_options_are_left_out() -> None:
    assert read_settings(None, {}, calibrate={"steps": None}).calibrate.steps == read_settings(None, {}).calibrate.steps


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        ("calibrate", {"steps": 0}, ["calibrate.steps", "0"]),
        ("calibrate", {"strategy": "magic"}, ["calibrate.strategy", "'magic'", "calibration"]),
        ("alerts", {"low": 1.5}, ["alerts.low", "1.5"]),
        ("predict", {"colour": "red"}, ["predict.colour", "red"]),
    ],
)
def test_bad_values_name_setting_and_value(section: str, values: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        read_settings(None, {}, **{section: values})
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "emc.toml").write_text("[calibrate\n")
    with pytest.raises(UsageError, match=r"emc\.toml"):
        read_settings(tmp_path, {})


def test_settings_stored_by_another_version_can_still_be_read() -> None:
    document = read_settings(None, {}, calibrate={"steps": 7}).model_dump(mode="json")
    document["calibrate"] |= {"forgotten": 3}
    del document["calibrate"]["lr"]
    document["section_of_the_future"] = {"x": 1}
    settings = stored_settings(document)
    assert settings.calibrate.steps == 7
    assert settings.calibrate.lr == read_settings(None, {}).calibrate.lr


def test_a_stored_value_that_cannot_be_used_is_named() -> None:
    with pytest.raises(UsageError, match=r"calibrate\.steps = -1"):
        stored_settings({"calibrate": {"steps": -1}})


def test_auto_stays_what_the_project_began_with(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}).predict.estimator == "auto"
    (tmp_path / "auto.toml").write_text('estimator = "nano"\n')
    assert read_settings(tmp_path, {}).predict.estimator == "nano"
    assert read_settings(tmp_path, {}).predict.detector == "auto"
    assert read_settings(tmp_path, {}, predict={"estimator": "auto:here"}).predict.estimator == "nano"
    assert read_settings(tmp_path, {}, predict={"fast": True}).predict.estimator == "auto"
    assert read_settings(tmp_path, {}, predict={"estimator": "vitpose-b"}).predict.estimator == "vitpose-b"
    assert read_settings(tmp_path, {"EMC_PREDICT__THREADS": "1"}).predict.estimator == "nano"
    (tmp_path / "auto.toml").write_text('estimator = "nano"\ndetector = "embedded"\nfast = true\n')
    kept = read_settings(tmp_path, {}, predict={"fast": True}).predict
    assert (kept.estimator, kept.detector) == ("nano", "embedded")
    assert read_settings(tmp_path, {}, predict={"detector": "dfine-s"}).predict.detector == "dfine-s"
    (tmp_path / "auto.toml").write_text("estimator\n")
    with pytest.raises(UsageError, match=r"auto\.toml does not name an estimator .*delete it"):
        read_settings(tmp_path, {})

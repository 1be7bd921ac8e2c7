from __future__ import annotations

from pathlib import Path

import pytest

import emc.plugins as plugins
from emc.errors import PluginError


def test_built_ins_register_through_entry_points() -> None:
    assert "nano" in plugins.plugin_names("estimators")
    assert "embedded" in plugins.plugin_names("detectors")
    assert "temporal-small" in plugins.plugin_names("lifters")
    assert "coco" in plugins.plugin_names("formats")


def test_unknown_name_lists_what_exists() -> None:
    with pytest.raises(PluginError, match=r"unknown estimator 'resnet': use one of .*nano"):
        plugins.load_plugin("estimators", "resnet")


def test_saved_model_without_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "emc.json").write_text("{}")
    with pytest.raises(PluginError, match=r"emc\.json does not name an estimator"):
        plugins.estimator_for(str(tmp_path))

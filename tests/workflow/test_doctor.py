"""What `emc doctor` says of ONNX files."""

from __future__ import annotations

import pytest

from emc.workflow.doctor import examine


@pytest.mark.parametrize(("engine", "ok", "said"), [("onnxruntime", True, "run by ONNX Runtime"), ("x", False, "=x ")])
def test_the_engine_of_onnx_files(engine: str, ok: bool, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="needs ONNX Runtime: pip install 'emc-pose[onnx]'")
    monkeypatch.setenv("EMC_ONNX_ENGINE", engine)
    (check,) = (check for check in examine()["checks"] if check["name"] == "ONNX files")
    assert check["ok"] == ok
    assert said in check["found"]

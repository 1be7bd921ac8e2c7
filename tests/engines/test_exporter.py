from __future__ import annotations

import logging
import sys

import numpy as np
import pytest
import torch
from torch import nn

from emc.engines.exporter import onnx_program
from emc.errors import PluginError

EXAMPLE = torch.zeros(2, 3, 8, 8)
FREE = {0: torch.export.Dim("batch")}


def test_a_program_computes_what_the_network_does_at_any_batch_size() -> None:
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 3, padding=1).eval()
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    program = onnx_program(network, EXAMPLE, ["maps"], FREE)
    assert logger.level == before
    session = runtime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).normal(size=(5, 3, 8, 8)).astype(np.float32)
    (found,) = session.run(["maps"], {"input": image})
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(torch.from_numpy(image)).numpy(), atol=1e-5)


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    for name in [name for name in sys.modules if name.startswith(("torch.onnx._internal.exporter", "onnxscript."))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(PluginError, match=r"'onnxscript': pip install 'emc-pose\[onnx\]'"):
        onnx_program(nn.Conv2d(3, 4, 3).eval(), EXAMPLE, ["maps"], FREE)

"""What runs networks fast: ONNX files in ONNX Runtime or OpenVINO, and our own networks in the same engines.

A network of ours becomes a graph without weights once (`graphs`); its weights are filled in each time it is opened, so
that a checkpoint costs no export. An estimator that takes part is an `EngineUser`; `accelerated` gives it its engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.engines.accelerate import Accelerated as Accelerated
    from emc.engines.accelerate import accelerated as accelerated
    from emc.engines.choice import engines_in_turn as engines_in_turn
    from emc.engines.engine import GraphShapes as GraphShapes
    from emc.engines.engine import compute_on as compute_on
    from emc.engines.engine import compute_threads as compute_threads
    from emc.engines.exporter import onnx_program as onnx_program
    from emc.engines.free import PICTURE as PICTURE
    from emc.engines.free import POSE as POSE
    from emc.engines.graph import OnnxGraph as OnnxGraph
    from emc.engines.network import NetworkInEngine as NetworkInEngine
    from emc.engines.network import opened as opened
    from emc.engines.user import EngineUser as EngineUser
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.engines.accelerate": ["Accelerated", "accelerated"],
            "emc.engines.choice": ["engines_in_turn"],
            "emc.engines.engine": ["GraphShapes", "compute_on", "compute_threads"],
            "emc.engines.exporter": ["onnx_program"],
            "emc.engines.free": ["PICTURE", "POSE"],
            "emc.engines.graph": ["OnnxGraph"],
            "emc.engines.network": ["NetworkInEngine", "opened"],
            "emc.engines.user": ["EngineUser"],
        },
    )

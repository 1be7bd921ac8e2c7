"""The contracts between the rooms, one per file: what an estimator, detector, lifter, store and executor must offer."""

from emc.interfaces.detector import ClipAdaptive, Detector
from emc.interfaces.estimator import Estimator
from emc.interfaces.executor import Executor
from emc.interfaces.lifter import Lifter
from emc.interfaces.model_info import ModelInfo
from emc.interfaces.progress import Progress
from emc.interfaces.store import RunRecord, Store
from emc.interfaces.trainable import Distillable, Folded, Growable, Layered, PerJoint, Trainable

__all__ = [
    "Detector",
    "Estimator",
    "Executor",
    "Folded",
    "Growable",
    "Layered",
    "ClipAdaptive",
    "Lifter",
    "ModelInfo",
    "PerJoint",
    "Progress",
    "RunRecord",
    "Store",
    "Distillable",
    "Trainable",
]

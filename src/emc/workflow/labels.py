"""Labels in and out: a COCO keypoints file becomes corrections in the journal, and poses become such a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import InputError
from emc.formats.coco import CocoFormat
from emc.interfaces import Store
from emc.pose.labels import LabelledPerson, LabelSet
from emc.pose.records import Clip, Pose, Provenance, Visibility
from emc.pose.skeleton import COCO17, Skeleton, joint_mapping
from emc.workflow.files import read_json

__all__ = ["Imported", "import_labels", "export_labels", "read_json"]

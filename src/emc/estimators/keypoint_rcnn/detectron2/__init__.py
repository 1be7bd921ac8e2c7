"""Reading Detectron2's checkpoints and translating their names."""

from emc.estimators.keypoint_rcnn.detectron2.weights import (
    convert_detectron2,
    detectron2_name,
    is_detectron2,
    listed,
    read_detectron2_pickle,
    tensors_of,
)

__all__ = ["convert_detectron2", "is_detectron2", "listed", "read_detectron2_pickle", "tensors_of", "detectron2_name"]

"""What the ViTPose tests compare with: transformers' own processor, and pictures to look at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from emc.pose.records import Sample

SIZE = (256, 192)
GRID = (64, 48)


def processor() -> Any:
    """transformers' VitPoseImageProcessor in the form that needs no torchvision."""
    from transformers.models.vitpose.image_processing_pil_vitpose import VitPoseImageProcessorPil

    return VitPoseImageProcessorPil()


def their_places(heatmaps: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(B, J, 2) pixels of the image as transformers decodes (B, J, 64, 48) heatmaps of (B, 4) xywh boxes."""
    outputs = SimpleNamespace(heatmaps=torch.from_numpy(heatmaps))
    found = processor().post_process_pose_estimation(outputs, boxes=[boxes.tolist()])[0]
    return np.stack([person["keypoints"].numpy() for person in found])


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """(N, 4) xywh, many of them partly outside of a 1280 x 720 picture."""
    low, high = [-100, -100, 5, 5], [1200, 650, 700, 700]
    return rng.uniform(low, high, (count, 4))


def blob_sample(rng: np.random.Generator) -> Sample:
    """A picture with one coloured disc per joint, each joint in its own colour."""
    image = np.full((160, 120, 3), 90, np.uint8)
    xy = rng.uniform([20, 20], [100, 140], (17, 2)).round()
    for joint, (x, y) in enumerate(xy.astype(int)):
        image[y - 6 : y + 7, x - 6 : x + 7] = (15 * joint, 255 - 15 * joint, (67 * joint) % 255)
    box = np.array([12, 16, 96, 128], np.float32)
    return Sample(image, xy, np.full(17, 2, np.int8), box, "blobs", "blobs", 0)

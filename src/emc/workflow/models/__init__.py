"""The models at hand, and saved models written as ONNX."""

from emc.workflow.models.export import export_model
from emc.workflow.models.listing import list_models

__all__ = ["export_model", "list_models"]

"""The models at hand, published weights fetched, and saved models written as ONNX."""

from emc.workflow.models.export import export_model
from emc.workflow.models.getting import get_models
from emc.workflow.models.listing import list_models

__all__ = ["export_model", "get_models", "list_models"]

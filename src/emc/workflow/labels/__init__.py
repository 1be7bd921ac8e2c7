"""Labels and predictions of others in, poses out."""

from emc.workflow.labels.labels import export_clip, export_labels, import_labels
from emc.workflow.labels.predictions import export_predictions, holds_predictions, import_predictions

__all__ = [
    "export_clip",
    "export_labels",
    "export_predictions",
    "holds_predictions",
    "import_labels",
    "import_predictions",
]

"""Labels and predictions of others in, poses out."""

from emc.workflow.labels.confirmed import LabelCounts, count_labels, refuse_unconfirmed
from emc.workflow.labels.exporting import export_clip, export_labels
from emc.workflow.labels.importing import Imported, import_labels
from emc.workflow.labels.listed import Listed, listed_on
from emc.workflow.labels.predictions import export_predictions, holds_predictions, import_predictions

__all__ = [
    "Imported",
    "LabelCounts",
    "Listed",
    "count_labels",
    "export_clip",
    "export_labels",
    "export_predictions",
    "holds_predictions",
    "import_labels",
    "import_predictions",
    "listed_on",
    "refuse_unconfirmed",
]

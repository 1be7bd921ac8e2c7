"""An environment, for `read_settings`, in which the models are the embedded ones, whatever was fetched."""

from __future__ import annotations

EMBEDDED = {"EMC_PREDICT__ESTIMATOR": "nano", "EMC_PREDICT__DETECTOR": "embedded"}

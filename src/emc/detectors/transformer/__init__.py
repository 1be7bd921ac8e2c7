"""Published transformer detectors (D-FINE, RT-DETRv2) through `transformers`."""

from emc.detectors.transformer.detector import DFineM, DFineS, RtDetrV2M, RtDetrV2S

__all__ = ["DFineM", "DFineS", "RtDetrV2M", "RtDetrV2S"]

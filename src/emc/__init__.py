"""EMC: calibrate a human-pose model to your own footage."""

__version__ = "0.1.0"

"""Detectors: networks and methods that find people in images."""

"""2D pose estimators and person detectors; each owns its library and imports it lazily."""

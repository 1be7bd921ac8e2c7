"""Networks that estimators and detectors share, each with the names that its published weights have."""

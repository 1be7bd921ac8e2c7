"""Where work runs: on this machine, or elsewhere."""

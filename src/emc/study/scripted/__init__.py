"""The scripted user: a simulated annotator and the keystroke-level cost model."""

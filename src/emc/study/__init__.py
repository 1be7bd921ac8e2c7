"""Proof of ergonomics: a study that people run, a scripted user, and a cost model."""

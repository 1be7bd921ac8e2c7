"""Lifters from 2D sequences to 3D sequences."""

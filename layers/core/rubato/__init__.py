"""Rubato: an adaptive scheduler for HTTP work."""

__version__ = "0.1.0"

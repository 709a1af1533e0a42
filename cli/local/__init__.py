"""Rubato on this machine: an AWS emulator, the real template, the real functions."""

"""Damage that somebody could do to a line, and whether the tests see it: ``make mutations``."""

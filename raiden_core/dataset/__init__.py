"""Samples as a dataset: split by character, card."""

"""Measurements, one command each, with JSON results. None of them is a test."""

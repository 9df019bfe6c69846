"""Processes and threads: starting children, ending all of them, sharing cores."""

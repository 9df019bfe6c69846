"""Samples for other people's trainers: TRL, verl and Open-R1 train on them with raiden's rewards alone."""

from raiden_core.export.writers import WRITERS, export

__all__ = ["WRITERS", "export"]

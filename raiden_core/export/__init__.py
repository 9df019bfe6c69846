"""For others: samples that TRL, verl and Open-R1 train on with raiden's rewards alone; a model folder for the Hub."""

from raiden_core.export.writers import WRITERS, export

__all__ = ["WRITERS", "export"]

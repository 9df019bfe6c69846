"""The report: one self-contained HTML page about a run."""

from raiden_core.report.build import build_report

__all__ = ["build_report"]

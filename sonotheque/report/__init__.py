"""What a person reads: one self-contained HTML page, and pictures, that say how good a classifier is, how sure, and why."""

from sonotheque.report.findings import Findings, collect
from sonotheque.report.page import write_report

__all__ = ["Findings", "collect", "write_report"]

"""What a person reads: one self-contained HTML page, and pictures, that say how good a classifier is, how sure, and why."""

from sonotheque.report.findings import Findings, collect
from sonotheque.report.page import write_report
from sonotheque.report.report_model import report_model

__all__ = ["Findings", "collect", "report_model", "write_report"]

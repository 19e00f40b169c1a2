"""Reports of evaluated classifiers and of music libraries, as self-contained HTML pages and PNG figures."""

from sonotheque.report.page import write_report
from sonotheque.report.report_data import ReportData, collect_report_data
from sonotheque.report.report_model import report_model

__all__ = ["ReportData", "collect_report_data", "report_model", "write_report"]

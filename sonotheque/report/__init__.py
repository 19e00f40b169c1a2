"""Reports of evaluated classifiers and of music libraries, as self-contained HTML pages and PNG figures."""

from typing import TYPE_CHECKING

from sonotheque.deprecation import module_getattr
from sonotheque.report.evaluation_report import write_evaluation_report
from sonotheque.report.page import write_report
from sonotheque.report.report_data import ReportData, collect_report_data

__all__ = ["ReportData", "collect_report_data", "write_evaluation_report", "write_report"]

if not TYPE_CHECKING:  # type checkers see only the current names
    __getattr__ = module_getattr(
        __name__,
        {
            "Findings": "sonotheque.report:ReportData",
            "collect": "sonotheque.report:collect_report_data",
        },
    )

"""One recording as a picture for a report: what `sonotheque.explore.inspection` saw and heard, on one sheet. Computes nothing."""

from sonotheque.report.inspection.sheet import draw_inspection

__all__ = ["draw_inspection"]

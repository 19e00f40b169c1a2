"""Figure of one recording: draws what `sonotheque.explore.inspection` computed, and computes nothing itself."""

from sonotheque.report.inspection.figure import draw_inspection

__all__ = ["draw_inspection"]

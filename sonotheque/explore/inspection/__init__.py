"""Inspection of a single recording: `inspect_recording` computes its numbers and the signal views that a figure is drawn from.

Nothing here depends on a library.
"""

from sonotheque.explore.inspection.downsampling import TimeSeries
from sonotheque.explore.inspection.inspect_recording import Inspection, inspect_recording
from sonotheque.explore.inspection.signal_views import OnsetExcerpt, SignalViews

__all__ = ["Inspection", "OnsetExcerpt", "SignalViews", "TimeSeries", "inspect_recording"]

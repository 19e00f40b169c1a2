"""One recording looked at closely: `inspect` makes the numbers and what is drawn of it. Nothing here knows of libraries."""

from sonotheque.explore.inspection.columns import OverTime
from sonotheque.explore.inspection.pictures import CloseUp, Pictures
from sonotheque.explore.inspection.recording import WEAK, Inspection, inspect

__all__ = ["WEAK", "CloseUp", "Inspection", "OverTime", "Pictures", "inspect"]

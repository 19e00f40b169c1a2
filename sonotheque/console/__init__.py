"""What a person sees in a terminal: progress, tables, notices. Results go to standard output, the rest to standard error."""

from sonotheque.console.collection import show_failed, show_similar, show_status
from sonotheque.console.exports import show_exported, show_tagged
from sonotheque.console.genres import show_classified, show_compared, show_evaluated, show_trained
from sonotheque.console.terminal import SHOWN, print_json, progress_bar, quiet_decoders, show_notices, table
from sonotheque.console.views import show_inspected, show_mapped, show_suspicious

__all__ = [
    "SHOWN",
    "print_json",
    "progress_bar",
    "quiet_decoders",
    "show_classified",
    "show_compared",
    "show_evaluated",
    "show_exported",
    "show_failed",
    "show_inspected",
    "show_mapped",
    "show_notices",
    "show_similar",
    "show_status",
    "show_suspicious",
    "show_tagged",
    "show_trained",
    "table",
]

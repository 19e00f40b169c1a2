"""Terminal output: tables, messages and progress bars. Results go to standard output, everything else to standard error."""

from sonotheque.console.classification import print_comparison, print_evaluation, print_predictions, print_training
from sonotheque.console.duplicates import print_duplicates
from sonotheque.console.export import print_exported_tables, print_tag_changes
from sonotheque.console.formatting import print_json, print_table
from sonotheque.console.inspection import print_inspection
from sonotheque.console.label_issues import print_applied_corrections, print_label_issues
from sonotheque.console.labels import print_label_changes, print_label_history, print_undo
from sonotheque.console.library import (
    can_ask,
    confirm_removal,
    print_addition_preview,
    print_indexes,
    print_removal,
    print_status,
)
from sonotheque.console.maps import print_map_summary
from sonotheque.console.playlists import print_playlist
from sonotheque.console.progress import progress_bar, repeated_progress_bar
from sonotheque.console.retrieval import print_retrieval
from sonotheque.console.search import print_found_tracks
from sonotheque.console.similarity import print_similar_tracks
from sonotheque.console.standard_error import print_log_messages, silence_decoders
from sonotheque.console.watch import print_watch_batch, print_watch_result

__all__ = [
    "can_ask",
    "confirm_removal",
    "print_addition_preview",
    "print_applied_corrections",
    "print_comparison",
    "print_duplicates",
    "print_evaluation",
    "print_exported_tables",
    "print_found_tracks",
    "print_indexes",
    "print_inspection",
    "print_json",
    "print_label_changes",
    "print_label_history",
    "print_label_issues",
    "print_log_messages",
    "print_map_summary",
    "print_playlist",
    "print_predictions",
    "print_removal",
    "print_retrieval",
    "print_similar_tracks",
    "print_status",
    "print_table",
    "print_tag_changes",
    "print_training",
    "print_undo",
    "print_watch_batch",
    "print_watch_result",
    "progress_bar",
    "repeated_progress_bar",
    "silence_decoders",
]

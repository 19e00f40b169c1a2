"""Metadata about music: tags in audio files, labels from CSV files and folder names, and tables as CSV and Parquet."""

from sonotheque.metadata.file_tags import FileTags, read_tags
from sonotheque.metadata.label_sources import Label, LabelSource, open_label_source
from sonotheque.metadata.tables import GenreIds, read_table, write_table

__all__ = [
    "FileTags",
    "GenreIds",
    "Label",
    "LabelSource",
    "open_label_source",
    "read_table",
    "read_tags",
    "write_table",
]

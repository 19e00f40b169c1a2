"""Find duplicates: byte-identical files, several encodings of one recording, and other versions of a piece. Nothing is changed."""

from sonotheque.explore.duplicates.find_duplicates import find_duplicates
from sonotheque.explore.duplicates.matching import choose_method
from sonotheque.explore.duplicates.same_recording import probably_same_recording
from sonotheque.explore.duplicates.table import write_duplicates

__all__ = ["choose_method", "find_duplicates", "probably_same_recording", "write_duplicates"]

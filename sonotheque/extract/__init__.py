"""Turn files into vectors safely, in a pool of worker processes. `add`, `similar` and `classify` all use it."""

from sonotheque.extract.extraction import Extraction
from sonotheque.extract.pool import ExtractionPool
from sonotheque.extract.scan import AudioFile, scan_paths
from sonotheque.extract.vectors import FileVectors, extract_file, get_vectors

__all__ = ["AudioFile", "Extraction", "ExtractionPool", "FileVectors", "extract_file", "get_vectors", "scan_paths"]

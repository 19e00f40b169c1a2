"""Tables of any size as Apache Parquet, which pandas, Polars, DuckDB and Spark read. What the columns mean is for others."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.output_files import write_atomic

KINDS = ("string", "float32", "float64", "int64", "bool", "floats", "neighbors")
"""What a column may hold; ``floats`` are lists of float32, ``neighbors`` structs of ``ids`` (lists of int64) and ``distances``
(lists of float32). Vectors are plain lists because not every reader knows lists of a fixed size."""


def write_parquet(
    path: str | os.PathLike[str],
    columns: Mapping[str, str],
    batches: Iterable[Mapping[str, Any]],
    *,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write a table, batch by batch: memory holds one batch. The file is put in place whole or not at all.

    The same rows in the same batches are the same bytes, with the same version of pyarrow. Compressed with zstd.

    Parameters
    ----------
    path : path of the file
    columns : mapping of name to kind, one of `KINDS`
        In the order of the file.
    batches : iterable of mappings of column name to its values
        Each is a row group. Values are a list or an array; None is null. Of ``floats``: an array [n, D], or a sequence of arrays
        [D], of any lengths. Of ``neighbors``: a sequence of pairs of arrays (ids [K], distances [K]).
    metadata : mapping of str to str, or None
        Kept beside the schema.

    Returns
    -------
    int
        Rows.

    Raises
    ------
    LibraryError
        If the file cannot be written.
    """
    rows: list[int] = []
    write_atomic(Path(path), _bytes(columns, batches, metadata or {}, rows))
    return sum(rows)


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._parts.append(bytes(content))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._size

    def take(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        return parts


def _bytes(
    columns: Mapping[str, str], batches: Iterable[Mapping[str, Any]], metadata: Mapping[str, str], rows: list[int]
) -> Iterator[bytes]:
    """Encode the table; the number of rows of each batch goes to `rows`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _type(kind)) for name, kind in columns.items()], metadata=dict(metadata))
    simple = [name for name, kind in columns.items() if kind not in {"floats", "neighbors"}]
    texts = [name for name, kind in columns.items() if kind == "string"]
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=texts, write_statistics=simple) as writer:
        for batch in batches:
            arrays = [_array(batch[name], kind) for name, kind in columns.items()]
            record = pa.RecordBatch.from_arrays(arrays, schema=schema)
            rows.append(record.num_rows)
            if record.num_rows:
                writer.write_batch(record, row_group_size=record.num_rows)
            yield from sink.take()
    yield from sink.take()


def _type(kind: str) -> Any:
    import pyarrow as pa

    lists = {"ids": pa.list_(pa.int64()), "distances": pa.list_(pa.float32())}
    return {
        "string": pa.string(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "floats": pa.list_(pa.float32()),
        "neighbors": pa.struct(list(lists.items())),
    }[kind]


def _array(values: Any, kind: str) -> Any:
    import pyarrow as pa

    if kind == "floats":
        return _lists(values, "<f4")
    if kind == "neighbors":
        pairs = list(values)
        parts = [
            _lists([None if pair is None else pair[part] for pair in pairs], dtype)
            for part, dtype in enumerate(("<i8", "<f4"))
        ]
        missing = pa.array([pair is None for pair in pairs], pa.bool_())
        return pa.StructArray.from_arrays(parts, names=["ids", "distances"], mask=missing)
    return pa.array(values, _type(kind))


def _lists(values: Any, dtype: str) -> Any:
    """Make a list array of rows of any lengths, without a Python object for each number."""
    import pyarrow as pa

    if isinstance(values, np.ndarray) and values.ndim == 2:
        lengths = np.full(len(values), values.shape[1])
        flat, missing = np.ascontiguousarray(values, dtype=dtype).ravel(), np.zeros(len(values), dtype=bool)
    else:
        kept = [np.asarray(() if row is None else row, dtype=dtype) for row in values]
        lengths = np.array([len(row) for row in kept], dtype=np.int64)
        flat = np.concatenate(kept) if kept else np.empty(0, dtype=dtype)
        missing = np.array([row is None for row in values], dtype=bool)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    mask = pa.array(missing) if missing.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=mask)

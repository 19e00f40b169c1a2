"""Write tables of any size as Apache Parquet, which pandas, Polars, DuckDB and Spark read."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from sonotheque.output_files import PARQUET, FilePath, OutputFile, as_output

COLUMN_TYPES = ("string", "float32", "float64", "int64", "bool", "floats", "neighbors")
"""Column types. ``floats`` are lists of float32. ``neighbors`` are structs of ``ids`` (lists of int64) and ``distances`` (lists of
float32). Vectors are plain lists because not every reader supports lists of a fixed size."""


def write_parquet(
    path: FilePath | OutputFile,
    columns: Mapping[str, str],
    batches: Iterable[Mapping[str, Any]],
    *,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write a table batch by batch, compressed with zstd. Only one batch is in memory at a time.

    An existing file is replaced only when the new one is complete. The same rows in the same batches give the same bytes, with the
    same version of pyarrow.

    Parameters
    ----------
    path : path of the file, or OutputFile
        See `sonotheque.output_files.as_output`.
    columns : mapping of name to type, one of `COLUMN_TYPES`
        In the order in which they are written.
    batches : iterable of mapping of column name to values
        Each becomes a row group. Values are a list or an array, in which None is null. For ``floats``: an array [n, D], or a
        sequence of arrays [D] of any lengths. For ``neighbors``: a sequence of pairs of arrays (ids [K], distances [K]).
    metadata : mapping of str to str, or None
        Stored in the file with the schema.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a Parquet table.
    """
    row_counts: list[int] = []
    parts = _encode(columns, batches, metadata or {}, row_counts)
    as_output(path, PARQUET).write(parts)
    return sum(row_counts)


class _Buffer(io.RawIOBase):
    """Collects written bytes until `take` returns them."""

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


def _encode(
    columns: Mapping[str, str], batches: Iterable[Mapping[str, Any]], metadata: Mapping[str, str], row_counts: list[int]
) -> Iterator[bytes]:
    """Encode the table, and append the number of rows of each batch to `row_counts`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [(name, _arrow_type(column_type)) for name, column_type in columns.items()], metadata=dict(metadata)
    )
    scalars = [name for name, column_type in columns.items() if column_type not in {"floats", "neighbors"}]
    strings = [name for name, column_type in columns.items() if column_type == "string"]
    buffer = _Buffer()
    with pq.ParquetWriter(
        buffer, schema, compression="zstd", use_dictionary=strings, write_statistics=scalars
    ) as writer:
        for batch in batches:
            arrays = [_arrow_array(batch[name], column_type) for name, column_type in columns.items()]
            record = pa.RecordBatch.from_arrays(arrays, schema=schema)
            row_counts.append(record.num_rows)
            if record.num_rows:
                writer.write_batch(record, row_group_size=record.num_rows)
            yield from buffer.take()
    yield from buffer.take()


def _arrow_type(column_type: str) -> Any:
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
    }[column_type]


def _arrow_array(values: Any, column_type: str) -> Any:
    import pyarrow as pa

    if column_type == "floats":
        return _list_array(values, "<f4")
    if column_type == "neighbors":
        pairs = list(values)
        parts = [
            _list_array([None if pair is None else pair[part] for pair in pairs], dtype)
            for part, dtype in enumerate(("<i8", "<f4"))
        ]
        missing = pa.array([pair is None for pair in pairs], pa.bool_())
        return pa.StructArray.from_arrays(parts, names=["ids", "distances"], mask=missing)
    return pa.array(values, _arrow_type(column_type))


def _list_array(values: Any, dtype: str) -> Any:
    """Build a list array from rows of any lengths, without a Python object for each number."""
    import pyarrow as pa

    if isinstance(values, np.ndarray) and values.ndim == 2:
        lengths = np.full(len(values), values.shape[1])
        flat, missing = np.ascontiguousarray(values, dtype=dtype).ravel(), np.zeros(len(values), dtype=bool)
    else:
        arrays = [np.asarray(() if row is None else row, dtype=dtype) for row in values]
        lengths = np.array([len(row) for row in arrays], dtype=np.int64)
        flat = np.concatenate(arrays) if arrays else np.empty(0, dtype=dtype)
        missing = np.array([row is None for row in values], dtype=bool)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    mask = pa.array(missing) if missing.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=mask)

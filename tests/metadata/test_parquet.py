"""Parquet files are read back unchanged, for any batches, and files are written atomically."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonotheque.errors import LibraryError
from sonotheque.metadata.parquet import COLUMN_TYPES, write_parquet

COLUMNS = {f"a {column_type}": column_type for column_type in COLUMN_TYPES}
floats = st.floats(allow_nan=False, width=32)
vectors = st.lists(floats, max_size=4)
pairs = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), floats), max_size=3)
cells = (
    st.text(st.characters(exclude_categories=["Cs"])),
    floats,
    st.floats(allow_nan=False),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    vectors,
    pairs.map(lambda neighbours: ([id_ for id_, _ in neighbours], [distance for _, distance in neighbours])),
)
rows = st.lists(st.tuples(*(st.none() | cell for cell in cells)), max_size=6)


def expected(row: tuple[Any, ...]) -> dict[str, Any]:
    *scalars, neighbours = row
    struct = neighbours and {"ids": neighbours[0], "distances": neighbours[1]}
    return dict(zip(COLUMNS, [*scalars, struct], strict=True))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(rows, max_size=3))
def test_round_trip(tmp_path: Path, batches: list[list[tuple[Any, ...]]]) -> None:
    path = tmp_path / "a.parquet"
    columns = [dict(zip(COLUMNS, map(list, zip(*batch, strict=True)), strict=True)) for batch in batches if batch]
    count = write_parquet(path, COLUMNS, columns, metadata={"space": "x@1", "é": "音"})
    table = pq.read_table(path)
    assert table.to_pylist() == [expected(row) for batch in batches for row in batch]
    assert count == table.num_rows
    assert table.schema.metadata == {b"space": b"x@1", "é".encode(): "音".encode()}
    assert pq.ParquetFile(path).num_row_groups == len(columns)
    first = path.read_bytes()
    write_parquet(path, COLUMNS, columns, metadata={"space": "x@1", "é": "音"})
    assert path.read_bytes() == first


def test_column_types_of_an_empty_table(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", COLUMNS, [])
    types = [pa.string(), pa.float32(), pa.float64(), pa.int64(), pa.bool_(), pa.list_(pa.float32())]
    struct = pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float32()))])
    assert pq.read_schema(tmp_path / "a.parquet").types == [*types, struct]


def test_arrays_and_compression(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).standard_normal((100, 7)).astype(np.float32)
    ids = np.arange(300).reshape(100, 3)
    batch = {"v": matrix, "n": list(zip(ids, matrix[:, :3], strict=True)), "w": list(matrix)}
    write_parquet(tmp_path / "a.parquet", {"v": "floats", "n": "neighbors", "w": "floats"}, [batch])
    table = pq.read_table(tmp_path / "a.parquet")
    for name in ("v", "w"):
        assert np.array_equal(np.array(table[name].to_pylist(), dtype=np.float32), matrix)
    assert table["n"][5].as_py() == {"ids": [15, 16, 17], "distances": matrix[5, :3].tolist()}
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert {group.column(number).compression for number in range(4)} == {"ZSTD"}


def test_batches_are_written_immediately(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    sizes = []

    def batches() -> Iterator[dict[str, Any]]:
        generator = np.random.default_rng(0)
        for _ in range(20):
            files = list(tmp_path.iterdir())
            sizes.append(files[0].stat().st_size if files else 0)
            yield {"v": generator.standard_normal((1000, 50)).astype(np.float32)}

    assert write_parquet(path, {"v": "floats"}, batches()) == 20_000
    assert sizes[10] > 1_500_000  # 200 kB per batch, on disk and not in memory
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


def test_an_interrupted_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(path, {"n": "int64"}, [{"n": [1, 2]}])
    before = path.read_bytes()

    def interrupted_batches() -> Iterator[dict[str, Any]]:
        yield {"n": [3]}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(path, {"n": "int64"}, interrupted_batches())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(LibraryError, match=r"folder\.parquet: exists and is not a regular file"):
        write_parquet(tmp_path / "folder.parquet", {"n": "int64"}, [{"n": [1]}])
    assert [path.name for path in tmp_path.iterdir()] == ["folder.parquet"]

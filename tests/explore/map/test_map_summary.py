"""The summary of a map, and the table of its clusters."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from sonotheque import Library
from sonotheque.demo import unlabelled
from sonotheque.embed.musicnn import SPACE
from sonotheque.errors import LibraryError, SpaceError
from sonotheque.explore.map.map_summary import write_clusters


def test_summary_and_cluster_table(demo_library: Library, tmp_path: Path) -> None:
    demo_library.add(unlabelled())
    summary = demo_library.map(cluster_size=5)
    assert summary.space == SPACE.id
    assert (summary.tracks, summary.judged) == (55, 46)
    assert sum(cluster.tracks for cluster in summary.clusters) + summary.unclustered == 55
    assert [cluster.number for cluster in summary.clusters] == list(range(1, 1 + len(summary.clusters)))
    assert len(summary.clusters) >= 2
    assert len({cluster.name for cluster in summary.clusters}) == len(summary.clusters)
    counts: dict[str, int] = dict(summary.unclustered_labels)
    for cluster in summary.clusters:
        for label, count in cluster.labels.items():
            counts[label] = counts.get(label, 0) + count
        assert all(os.path.isfile(path) for path in cluster.examples)
        assert cluster.error_rate is None or 0 <= cluster.error_rate <= 1
    assert counts == demo_library.status().labels
    assert summary.quality.trustworthiness is not None
    assert summary.quality.trustworthiness > 0.8
    assert summary.agreement is not None
    assert summary.agreement.adjusted_mutual_information > 0.2
    assert summary.error_rate is not None
    assert summary.error_rate < 0.6

    write_clusters(summary, tmp_path / "clusters.csv")
    rows = list(csv.DictReader((tmp_path / "clusters.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == sorted(position.path for position in summary.places)
    names = {str(cluster.number): cluster.name for cluster in summary.clusters}
    assert all(row["name"] == names.get(row["cluster"], "") for row in rows)


def test_few_tracks_without_labels(clips: Path, tmp_path: Path) -> None:
    with Library(tmp_path / "small") as library:
        with pytest.raises(LibraryError, match="empty"):
            library.map()
        library.add(clips, embedders=["descriptors"])
        summary = library.map()
        assert (summary.tracks, summary.clusters, summary.agreement, summary.error_rate) == (3, [], None, None)
        assert summary.quality.trustworthiness is None
        with pytest.raises(SpaceError, match="no vectors in musicnn"):
            library.map(embedder="musicnn")

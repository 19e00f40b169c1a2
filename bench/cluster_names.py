"""Measure whether the names of clusters fit their genre when the labels are held out.

    python bench/cluster_names.py LIBRARY [--half B] [--seeds 0 1 2 3 4] [--verbose]

LIBRARY needs musicnn. Names are made twice: without any label, and with the labels of half of the artists. The labels that were
hidden then judge the name of each cluster in which more than half of at least three hidden labels are one genre.

The rule of what fits was written before anything was measured. A name fits a genre if

1. at least one of its words says the genre: a tag of `FITTING`, or the genre itself; and
2. none of its words contradicts it: a style that is in neither `FITTING` nor `NEUTRAL` of the genre, a mood of `CONTRADICTING`, or,
   for the genres of `WITHOUT_ERA`, a decade.

Tempo words, artists, instruments and all other moods are neutral.
"""

from __future__ import annotations

import argparse
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from sonotheque import Library
from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import TAGS, tag_group
from sonotheque.explore.map.cluster_names import ClusterFeatures, name_clusters
from sonotheque.explore.map.layout import MapSettings, compute_layout
from sonotheque.explore.map.map_summary import make_cluster_features
from sonotheque.explore.track_attributes import load_track_attributes
from sonotheque.store import Catalogue, Track

FITTING = {
    "acoustic": {"acoustic", "folk", "guitar", "instrumental", "Mellow", "easy listening", "beautiful"},
    "ambient": {"ambient", "chillout", "chill", "experimental", "electronic", "electronica", "instrumental", "Mellow"},
    "classical": {"instrumental", "beautiful", "Mellow", "sad", "easy listening"},
    "electronic": {"electronic", "electronica", "electro", "dance", "House", "party", "experimental"},
    "folk": {"folk", "acoustic", "guitar", "country", "Mellow"},
    "metal": {"metal", "heavy metal", "hard rock"},
    "orchestral": {"instrumental", "beautiful", "ambient", "Mellow", "sad", "easy listening"},
    "pop": {"pop", "indie pop", "catchy", "female vocalists", "female vocalist", "male vocalists", "happy", "rnb"},
    "rock": {
        "rock", "alternative rock", "classic rock", "indie rock", "hard rock", "Progressive rock", "alternative", "indie", "punk",
    },
}  # fmt: skip
"""Tags that a listener accepts as a description of a genre. musicnn has no tag for classical and orchestral music, which only moods
and `instrumental` can describe."""

NEUTRAL = {
    "acoustic": {"country", "jazz", "indie", "blues"},
    "ambient": set(),
    "classical": {"ambient"},
    "electronic": {"ambient", "pop", "Hip-Hop"},
    "folk": {"indie", "blues", "pop"},
    "metal": {"rock", "alternative", "alternative rock", "Progressive rock", "punk", "experimental"},
    "orchestral": {"experimental"},
    "pop": {"indie", "soul", "dance", "electronic", "alternative", "folk"},
    "rock": {"pop", "blues", "folk", "indie pop"},
}
"""Styles that neither say nor contradict a genre."""

CONTRADICTING = {"party", "sexy", "catchy", "happy"}
"""Moods that contradict the genres of `WITHOUT_ERA` and metal."""

WITHOUT_ERA = {"acoustic", "ambient", "classical", "orchestral"}
"""Genres that a decade of pop music contradicts."""


def fits(words: Sequence[str], genre: str) -> bool:
    """Apply the rule of the module's docstring."""
    tags = [word for word in words if word in TAGS]
    says_it = genre in words or any(tag in FITTING[genre] for tag in tags)
    return says_it and not any(_contradicts(tag, genre) for tag in tags)


def _contradicts(tag: str, genre: str) -> bool:
    if tag in FITTING[genre] | NEUTRAL[genre]:
        return False
    group = tag_group(tag)
    return (
        group == "style"
        or (group == "era" and genre in WITHOUT_ERA)
        or (tag in CONTRADICTING and genre in WITHOUT_ERA | {"metal"})
    )


def split_words(name: str) -> list[str]:
    return re.sub(r" \(\d+\)$", "", name).split(", ")


def majority_genre(labels: Iterable[str | None]) -> str | None:
    """Return the genre of more than half of the labelled tracks; None if there are fewer than three, or no such genre."""
    counts = Counter(label for label in labels if label)
    genre, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return genre if counts.total() >= 3 and count > counts.total() / 2 else None


def is_hidden(track: Track, seed: int) -> bool:
    """Whether the label of a track is hidden: that of every second artist."""
    return zlib.crc32(f"{seed} {track.artist or track.path}".encode()) % 2 == 0


def name_and_judge(
    clusters: np.ndarray, features: ClusterFeatures, visible: Sequence[str | None], judged: Sequence[str | None]
) -> list[tuple[str, str, bool]]:
    """Name clusters by some labels, and judge the names by others; returns name, genre and whether the name fits."""
    names = name_clusters(clusters, replace(features, genres=visible))
    rows = []
    for number, name in enumerate(names):
        genre = majority_genre([label for label, cluster in zip(judged, clusters, strict=True) if cluster == number])
        if genre in FITTING:
            rows.append((name, str(genre), fits(split_words(name), str(genre))))
    return rows


def measure_names(
    catalogue: Catalogue, *, half: str | None, seeds: Sequence[int], hide: str
) -> list[tuple[str, str, bool]]:
    """Draw a map for each seed; name its clusters, and judge the names.

    Parameters
    ----------
    catalogue : Catalogue
        With vectors of musicnn.
    half : str or None
        ``A`` or ``B`` for the tracks of half of the artists; None for all.
    seeds : sequence of int
    hide : str
        ``all``: names by no label, judged by all. ``half``: names by the labels of half of the artists, judged by the others.
    """
    attributes = load_track_attributes(catalogue)
    ids, vectors = catalogue.vectors.matrix(musicnn.SPACE.id)
    by_id = {track.id: track for track in catalogue.tracks.all()}
    tracks = [by_id[number] for number in ids.tolist()]
    chosen = [row for row, track in enumerate(tracks) if half is None or is_hidden(track, 99) == (half == "A")]
    tracks, vectors = [tracks[row] for row in chosen], vectors[chosen]
    features = make_cluster_features(tracks, attributes)
    result = []
    for seed in seeds:
        clusters = compute_layout(vectors, space=musicnn.SPACE.id, settings=MapSettings(seed=seed)).clusters.labels
        hidden = [hide == "all" or is_hidden(track, seed) for track in tracks]
        visible = [None if is_hid else track.label for track, is_hid in zip(tracks, hidden, strict=True)]
        judged = [track.label if is_hid else None for track, is_hid in zip(tracks, hidden, strict=True)]
        result += name_and_judge(clusters, features, visible, judged)
    return result


def print_names(title: str, rows: Sequence[tuple[str, str, bool]], *, verbose: bool) -> None:
    fitting = sum(fit for *_, fit in rows)
    print(f"\n{title}: {fitting} of {len(rows)} names fit ({fitting / max(len(rows), 1):.0%})")
    for (name, genre, fit), count in sorted(Counter(rows).items()) if verbose else ():
        print(f"- {'fits' if fit else 'WRONG'}: {genre}: {name}" + (f" ({count} times)" if count > 1 else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--half", choices=["A", "B"], help="only half of the artists; settings were chosen on A")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--verbose", action="store_true", help="list the names")
    arguments = parser.parse_args()
    with Library(arguments.library, create=False) as library, threadpool_limits(limits=1):
        for hide, title in (("all", "no labels"), ("half", "labels of half of the artists, judged by the others")):
            rows = measure_names(library.catalogue, half=arguments.half, seeds=arguments.seeds, hide=hide)
            print_names(title, rows, verbose=arguments.verbose)


if __name__ == "__main__":
    main()

"""Tell whether search results are the query's own recording, from what is stored. No file is decoded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque.audio.chromaprint import CHROMAPRINT
from sonotheque.audio.fingerprint import SPECTRAL
from sonotheque.explore.duplicates.candidates import have_similar_lengths, near_duplicate_similarity
from sonotheque.explore.duplicates.matching import THRESHOLDS, match_fingerprints
from sonotheque.index import l2_normalize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track


def probably_same_recording(query: Track, hits: Sequence[Track], *, catalogue: Catalogue, space: str) -> list[bool]:
    """Return for each search result whether it is probably another file of the query's recording.

    If `find_duplicates` has stored fingerprints of both tracks, these decide. Otherwise, the tracks must be near-duplicates in a
    space for which their similarity has been measured. In both cases, the lengths must be similar. Only rows of the query and of
    the results are read.

    Parameters
    ----------
    query : Track
    hits : sequence of Track
        Results of a search.
    catalogue : Catalogue
    space : str
        Id of a space in which the tracks have vectors.

    Returns
    -------
    list of bool
        In the order of `hits`.
    """
    return [
        not (query.silent or track.silent)
        and bool(have_similar_lengths(np.array(query.seconds), np.array(track.seconds)))
        and _agree(query, track, catalogue=catalogue, space=space)
        for track in hits
    ]


def _agree(query: Track, track: Track, *, catalogue: Catalogue, space: str) -> bool:
    for method in (SPECTRAL, CHROMAPRINT):
        first = catalogue.fingerprints.read(query.hash, method.id)
        second = None if first is None else catalogue.fingerprints.read(track.hash, method.id)
        match = None if first is None or second is None else match_fingerprints(first, second, hop=method.hop)
        is_sure = match is not None and match.agreement >= THRESHOLDS[method.id].sure
        if match is not None and (method is SPECTRAL or not is_sure):  # Chromaprint only refutes
            return is_sure
    minimum = near_duplicate_similarity(space)
    if np.isinf(minimum):
        return False
    one, two = (l2_normalize(catalogue.vectors.track_vector(found.id, space)) for found in (query, track))
    return float(one @ two) >= minimum

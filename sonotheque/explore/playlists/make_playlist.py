"""Make playlists: from one track to another, from seeds, as the continuation of a playlist, or as a mix of a genre or cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError, ParameterError
from sonotheque.explore.playlists.arrange import arrange_tracks, count_repetitions, encode_artists, shorten_order
from sonotheque.explore.playlists.choose_tracks import find_cluster, find_genre
from sonotheque.explore.playlists.find_path import Way, cost_steps, find_path, measure_way, path_costs
from sonotheque.explore.playlists.pool import PoolTrack, TrackPool, compare_tracks
from sonotheque.explore.playlists.read_m3u import find_entries, read_m3u
from sonotheque.explore.playlists.select_tracks import (
    MAX_TRACKS,
    TOLERANCE,
    PlaylistRules,
    Selection,
    fit_duration,
    select_tracks,
)
from sonotheque.explore.similar.query import resolve_query
from sonotheque.extract import extract_file
from sonotheque.index import UpdatableIndex
from sonotheque.plurals import pluralize
from sonotheque.results import PlaylistResult, PlaylistTrack
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import FloatArray, IdArray, PathLike

N_NEW = 20
"""Default number of tracks, and of those that are added to a playlist file."""

SAMPLE_SIZE = 1000
"""Number of tracks through which the way from one track to another is searched first."""

N_NEAR_ENDS, N_NEAR_WAY = 50, 20
"""Number of further candidates near each end of the path, and near each track and each step of that way."""

MAX_TRIALS = 12
"""Number of lengths of a path that are tried to reach a duration."""


@dataclass(frozen=True)
class PlaylistSource:
    """What a playlist is made from. Without all of these, it is a mix of the tracks that are allowed.

    Attributes
    ----------
    seeds : sequence of paths or names
        See `sonotheque.explore.similar.query.resolve_query`. The playlist begins with the first one that is a track, and contains
        all that are. An artist, or a file that is not in the library, only shows the direction.
    start, end : path or name, or None
        The first and the last track.
    extend : path or None
        An M3U file. The playlist begins with its tracks.
    """

    seeds: Sequence[PathLike] = ()
    start: PathLike | None = None
    end: PathLike | None = None
    extend: PathLike | None = None

    @property
    def files(self) -> tuple[PathLike, ...]:
        """What may be a file that is read."""
        return (*self.seeds, *(path for path in (self.start, self.end, self.extend) if path is not None))

    def check(self, *, restricted: bool) -> None:
        """Check that the playlist is made from one thing.

        Parameters
        ----------
        restricted : bool
            Whether only the tracks of a genre or cluster are allowed.

        Raises
        ------
        LibraryError
            If it is made from nothing, from half a path, or from several things.
        """
        is_path = self.start is not None or self.end is not None
        if is_path and (self.start is None or self.end is None):
            raise LibraryError("a playlist from one track to another needs both: --from and --to")
        if bool(self.seeds) + is_path + (self.extend is not None) > 1:
            raise LibraryError("seeds, --from and --to, and --extend make different playlists; give one of them")
        if not (self.files or restricted):
            raise LibraryError("give seeds, --from and --to, --extend, --genre or --cluster")


def make_rules(
    *,
    n: int | None = None,
    minutes: float | None = None,
    min_minutes: float | None = None,
    max_minutes: float | None = None,
    max_per_artist: int | None = None,
    max_per_album: int | None = None,
) -> PlaylistRules:
    """Make the rules of a playlist from what a user asks for.

    Parameters
    ----------
    n : int or None
        Number of tracks. None takes as many as the duration needs or, if no minimum is given, the default.
    minutes : float or None
        Duration, which is not exceeded, and missed by `TOLERANCE` at most where there are tracks for that.
    min_minutes, max_minutes : float or None
    max_per_artist, max_per_album : int or None

    Returns
    -------
    PlaylistRules

    Raises
    ------
    ParameterError
        If the bounds contradict each other.
    """
    if minutes is not None and not (min_minutes is None and max_minutes is None):
        raise ParameterError("minutes cannot be combined with min_minutes or max_minutes; give either")
    if min_minutes is not None and max_minutes is not None and min_minutes > max_minutes:
        raise ParameterError(f"min_minutes={min_minutes!r} is more than max_minutes={max_minutes!r}; exchange them")
    if minutes is not None:
        lowest, highest = max(60 * minutes - TOLERANCE, 0.0), 60 * minutes
    else:
        lowest, highest = 60 * (min_minutes or 0.0), float("inf") if max_minutes is None else 60 * max_minutes
    return PlaylistRules(n, max_per_artist, max_per_album, lowest, highest)


def restrict_tracks(
    catalogue: Catalogue, *, genre: str | None = None, cluster: str | None = None, map_space: str
) -> IdArray | None:
    """List the ids of the tracks of a genre, of a cluster of the map, or of both; None without either.

    Raises
    ------
    LibraryError
        If there is no such genre or cluster.
    """
    of_genre = None if genre is None else find_genre(genre, catalogue=catalogue)
    of_cluster = None if cluster is None else find_cluster(cluster, catalogue=catalogue, space=map_space)
    if of_genre is None or of_cluster is None:
        return of_genre if of_cluster is None else of_cluster
    return np.intersect1d(of_genre, of_cluster)


def make_playlist(
    source: PlaylistSource,
    *,
    catalogue: Catalogue,
    index: UpdatableIndex,
    space: str,
    rules: PlaylistRules,
    restrict_to: IdArray | None = None,
    seed: int = 0,
    compute: Compute = Compute(),
) -> PlaylistResult:
    """Make a playlist. Only the tracks that may be in it are read, and for a mix the ids of the allowed ones.

    Parameters
    ----------
    source : PlaylistSource
    catalogue : Catalogue
    index : UpdatableIndex
        The index of the space.
    space : str
        Space id.
    rules : PlaylistRules
        Without `n` and a minimum duration, `N_NEW` tracks are chosen, in an extension `N_NEW` new ones.
    restrict_to : int64 array [M] or None
        Ids of the tracks that may be added, such as those of a genre. Needed for a mix.
    seed : int
        Which tracks a mix contains.
    compute : Compute
        Used to extract vectors of seeds that are not in the library.

    Returns
    -------
    PlaylistResult

    Raises
    ------
    LibraryError
        If a track cannot be found or compared, or what is given already breaks the rules.
    AudioError
        If a seed cannot be decoded.
    """
    pool = TrackPool(catalogue, space=space, index=index, restrict_to=restrict_to)
    if source.extend is None:
        rules = _with_default_size(rules)
    if source.start is not None and source.end is not None:
        return _make_path(source.start, source.end, pool=pool, rules=rules)
    if source.extend is not None:
        return _extend(source.extend, pool=pool, rules=rules)
    if source.seeds:
        return _make_from_seeds(source.seeds, pool=pool, rules=rules, compute=compute)
    selection = select_tracks(pool.shuffled(seed=seed), given=(), rules=rules, pool=pool)
    return _finish("mix", selection, _arrange(selection.tracks), pool=pool)


def _make_path(start: PathLike, end: PathLike, *, pool: TrackPool, rules: PlaylistRules) -> PlaylistResult:
    ends = [_read_one(query, pool) for query in (start, end)]
    if ends[0].track.id == ends[1].track.id:
        raise LibraryError(f"{os.fspath(end)}: the playlist would start and end with one track; give two")
    _check_given(ends, rules)
    tracks = gather_candidates(ends, pool=pool)
    selection = Selection(ends, rules=rules, pool=pool)
    way = measure_way(tracks)
    for found in _find_inner(tracks, way, pool=pool, rules=rules):
        if not selection.is_complete and selection.accepts(found):
            selection.add(found)
    fit_duration(selection, [tracks[row] for row in way.nearest])
    places = {found.track.id: (way.progress[row], found.track.hash) for row, found in enumerate(tracks)}
    chosen = [ends[0], *selection.added, ends[1]]
    order = arrange_tracks(
        encode_artists(found.artist for found in chosen),
        choose=lambda _, rows: int(min(rows.tolist(), key=lambda row: places[chosen[row].track.id])),
        first=0,
        last=len(chosen) - 1,
    )
    return _finish("path", selection, [chosen[row] for row in order.tolist()], pool=pool)


def gather_candidates(ends: Sequence[PoolTrack], *, pool: TrackPool, sample_size: int = SAMPLE_SIZE) -> list[PoolTrack]:
    """Read the tracks that a path may be made of: its ends, a sample of the library, and those near the best way through it.

    In a library of up to `sample_size` tracks, these are all tracks.

    Parameters
    ----------
    ends : sequence of PoolTrack, length 2
    pool : TrackPool
    sample_size : int

    Returns
    -------
    list of PoolTrack
        The ends, then the others.
    """
    measure = pool.index.measure
    sample = pool.sample(sample_size)
    queries = measure.transform_queries(np.stack([found.vector for found in ends]))
    near_ends = [found for row in pool.search(queries, k=N_NEAR_ENDS) for found in row]
    tracks = _add_candidates(ends, [*sample, *near_ends])
    previous = path_costs(cost_steps(tracks), 0)[1]
    way = [1]
    while way[-1] != 0:
        way.append(int(previous[way[-1]]))
    queries = measure.transform_queries(np.stack([tracks[row].vector for row in way]))
    between = [measure.average_queries(queries[place : place + 2]) for place in range(len(way) - 1)]
    near_way = [found for row in pool.search(np.concatenate([queries, *between]), k=N_NEAR_WAY) for found in row]
    return _add_candidates(tracks, near_way)


def _add_candidates(tracks: Sequence[PoolTrack], others: Sequence[PoolTrack]) -> list[PoolTrack]:
    known = {found.track.id: found for found in tracks}
    for found in others:
        if not found.track.silent:
            known.setdefault(found.track.id, found)
    return list(known.values())


def _find_inner(tracks: Sequence[PoolTrack], way: Way, *, pool: TrackPool, rules: PlaylistRules) -> list[PoolTrack]:
    """Find the tracks between the first two; without a number of tracks, as many as the duration needs."""
    ends = tracks[:2]
    without_bounds = replace(rules, min_seconds=0.0, max_seconds=float("inf"), n=MAX_TRACKS)

    def refused(path: Sequence[PoolTrack]) -> list[int]:
        selection = Selection(ends, rules=without_bounds, pool=pool)
        broken = []
        for found in path:
            if selection.accepts(found):
                selection.add(found)
            else:
                broken.append(found.track.id)
        return broken

    if rules.n is not None:
        return find_path(tracks, way, n=rules.n - 2, refused=refused)
    seconds = sum(found.track.seconds for found in ends)
    typical = float(np.median([found.track.seconds for found in tracks])) or 1.0
    n, best, best_total, tried = N_NEW, list[PoolTrack](), seconds, set[int]()
    while n not in tried and len(tried) < MAX_TRIALS:
        tried.add(n)
        path = find_path(tracks, way, n=n, refused=refused)
        total = seconds + sum(found.track.seconds for found in path)
        if best_total < total <= rules.max_seconds:
            best, best_total = path, total
        if best_total >= rules.min_seconds or (total < rules.min_seconds and len(path) < n):
            break
        missing = (rules.min_seconds if total < rules.min_seconds else rules.max_seconds) - total
        n = min(max(n + int(np.sign(missing)) * max(1, int(abs(missing) / typical)), 0), MAX_TRACKS - 2)
    return best


def _make_from_seeds(
    seeds: Sequence[PathLike], *, pool: TrackPool, rules: PlaylistRules, compute: Compute
) -> PlaylistResult:
    given: dict[int, PoolTrack] = {}
    queries: list[FloatArray] = []
    notes: list[str] = []
    measure = pool.index.measure
    for seed in seeds:
        resolved = resolve_query(os.fspath(seed), catalogue=pool.catalogue)
        found = pool.read(resolved.tracks)
        if found:
            directions = measure.transform_queries(np.stack([track.vector for track in found]))
            queries.append(measure.average_queries(directions))
        else:
            vector = extract_file(resolved.paths[0], spaces=[pool.space], compute=compute)[pool.space][0]
            queries.append(measure.transform_queries(vector[None]))
            notes.append(f"{os.fspath(seed)} is not in the library; it shows the direction, and is not in the playlist")
        if len(found) == 1:
            given[found[0].track.id] = found[0]
    seed_tracks = list(given.values())
    _check_given(seed_tracks, rules)
    candidates = pool.nearest(measure.average_queries(np.concatenate(queries)))
    n_fixed = min(1, len(seed_tracks))
    selection = select_tracks(candidates, given=seed_tracks, rules=rules, pool=pool, n_fixed=n_fixed)
    return _finish("seeds", selection, _arrange(selection.tracks, n_fixed=n_fixed), pool=pool, notes=notes)


def _extend(file: PathLike, *, pool: TrackPool, rules: PlaylistRules) -> PlaylistResult:
    entries = read_m3u(file)
    folder = os.path.dirname(os.path.abspath(file))
    found = find_entries(entries, folder=folder, catalogue=pool.catalogue)
    given = pool.read_given(list(dict.fromkeys(found.tracks)))
    usable = [track for track in given if track.vector.any()]
    if not given:
        raise LibraryError(
            f"{os.fspath(file)}: none of its {pluralize(len(entries), 'entry', 'entries')} is in the library; "
            "`sonotheque add` adds music to it"
        )
    if not usable:
        raise LibraryError(f"{os.fspath(file)}: its tracks have no vectors in {pool.space}, or are silent")
    notes = []
    if len(given) < len(found.tracks):
        notes.append(f"tracks that were in {os.fspath(file)} more than once are in the playlist once")
    rules = _with_default_size(rules, n_given=len(given))
    _check_given(given, rules)
    measure = pool.index.measure
    query = measure.average_queries(measure.transform_queries(np.stack([track.vector for track in usable])))
    selection = select_tracks(pool.nearest(query), given=given, rules=rules, pool=pool, n_fixed=len(given))
    order = [*given[:-1], *_arrange([given[-1], *selection.added], n_fixed=1)]
    return _finish("extension", selection, order, pool=pool, notes=notes, not_found=found.not_found)


def _arrange(tracks: Sequence[PoolTrack], *, n_fixed: int = 0) -> list[PoolTrack]:
    """Order tracks so that each is like the one before: the nearest next, then 2-opt. At most the first one stays in its place."""
    if not tracks:
        return []
    artists = encode_artists(found.artist for found in tracks)
    similarities = compare_tracks(tracks)
    hashes = [found.track.hash for found in tracks]

    def choose(previous: int | None, rows: IdArray) -> int:
        closeness = similarities[rows].sum(axis=1) if previous is None else similarities[previous, rows]
        return int(
            min(zip((-closeness).tolist(), [hashes[row] for row in rows.tolist()], rows.tolist(), strict=True))[2]
        )

    order = arrange_tracks(artists, choose=choose, first=0 if n_fixed else None)
    order = shorten_order(order, similarities, artists, keep_first=n_fixed > 0)
    return [tracks[row] for row in order.tolist()]


def _with_default_size(rules: PlaylistRules, *, n_given: int = 0) -> PlaylistRules:
    """Return rules with the default number of tracks, if neither the number nor a minimum duration is given."""
    return replace(rules, n=n_given + N_NEW) if rules.n is None and rules.min_seconds == 0 else rules


def _read_one(query: PathLike, pool: TrackPool) -> PoolTrack:
    """Read the one track that a query names."""
    resolved = resolve_query(os.fspath(query), catalogue=pool.catalogue)
    if len(resolved.tracks) > 1:
        raise LibraryError(
            f"{os.fspath(query)}: an artist with {pluralize(len(resolved.tracks), 'track')}; give ARTIST - TITLE, or a path"
        )
    if not resolved.tracks:
        raise LibraryError(f"{os.fspath(query)}: not in the library; `sonotheque add` adds it")
    found = pool.read(resolved.tracks)
    if not found:
        raise LibraryError(f"{os.fspath(query)}: has no vector in {pool.space}; `sonotheque add` computes it")
    return found[0]


def _check_given(given: Sequence[PoolTrack], rules: PlaylistRules) -> None:
    """Check that the given tracks fit into the playlist."""
    seconds = sum(found.track.seconds for found in given)
    if len(given) > rules.size:
        raise LibraryError(
            f"the playlist is to have {rules.n}, but given are {pluralize(len(given), 'track')}; choose a larger -n"
        )
    if seconds > rules.max_seconds:
        raise LibraryError(
            f"the given tracks last {seconds / 60:.1f} minutes, longer than the maximum of {rules.max_seconds / 60:g}"
        )


def _finish(
    source: str,
    selection: Selection,
    order: Sequence[PoolTrack],
    *,
    pool: TrackPool,
    notes: Sequence[str] = (),
    not_found: Sequence[str] = (),
) -> PlaylistResult:
    given = {found.track.id for found in selection.tracks[: selection.n_given]}
    steps = [None, *(_compare(one, two) for one, two in pairwise(order))]
    known = [step for step in steps if step is not None]
    tracks = []
    for rank, (found, step) in enumerate(zip(order, steps, strict=False), start=1):
        track, tempo_key = found.track, pool.catalogue.tempo_keys.get(found.track.id)
        tracks.append(
            PlaylistTrack(
                rank=rank,
                similarity=step,
                similarity_to_start=_compare(order[0], found),
                given=track.id in given,
                path=track.path,
                title=track.title,
                artist=track.artist,
                album=track.album,
                genre=track.label or track.genre,
                seconds=track.seconds,
                tempo=None if tempo_key is None else tempo_key.clear_tempo,
                key=None if tempo_key is None else tempo_key.clear_key,
            )
        )
    return PlaylistResult(
        source=source,
        space=pool.space,
        seconds=round(sum(track.seconds for track in tracks), 3),
        results=tracks,
        smallest_similarity=min(known, default=None),
        mean_similarity=round(float(np.mean(known)), 6) if known else None,
        same_artist=count_repetitions(encode_artists(found.artist for found in order)),
        not_found=not_found,
        notes=notes,
        shortfall=_explain_shortfall(selection),
    )


def _compare(first: PoolTrack, second: PoolTrack) -> float | None:
    """Return the cosine of two directions, rounded; None if one of the tracks has none."""
    if not (first.direction.any() and second.direction.any()):
        return None
    return round(float(np.einsum("d,d->", first.direction, second.direction)), 6)


def _explain_shortfall(selection: Selection) -> str | None:
    rules, parts = selection.rules, []
    if rules.n is not None and len(selection.tracks) < rules.n:
        parts.append(f"{len(selection.tracks)} of {pluralize(rules.n, 'track')}")
    if selection.seconds < rules.min_seconds:
        parts.append(f"{selection.seconds / 60:.1f} of {rules.min_seconds / 60:.1f} minutes")
    return f"{' and '.join(parts)}: no other track fulfils the rules" if parts else None

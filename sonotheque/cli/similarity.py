"""The command ``sonotheque similar``: nearest neighbours of tracks and files."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import (
    TextRange,
    as_json,
    compute_options,
    force_option,
    number_range,
    open_library,
    parse_time,
)

YEARS = TextRange("years", minimum="min_year", maximum="max_year", parse=int)
DURATIONS = TextRange("times", minimum="min_duration", maximum="max_duration", parse=parse_time)
TEMPOS = TextRange("bpm", minimum="min_tempo", maximum="max_tempo", parse=float)

MOODS = ("beautiful", "chill", "chillout", "catchy", "easy listening", "happy", "Mellow", "party", "sad", "sexy")
"""The auto-tags of moods; `sonotheque.embed.auto_tags.GROUPS` has them too, but takes time to import."""

Range = tuple[float | None, float | None]
NO_RANGE: Range = (None, None)


@click.command()
@click.argument("queries", nargs=-1, metavar="[QUERY]...")
@click.option("--like", multiple=True, metavar="QUERY", help="A further query. Repeatable.")
@click.option("--unlike", multiple=True, metavar="QUERY", help="What the tracks should not resemble. Repeatable.")
@click.option(
    "--segment",
    type=TextRange("start-end", minimum="segment", maximum="segment", parse=parse_time),
    help="Search by this part of the query, such as 1:10-1:25. Tracks are ranked by their most similar part.",
)
@click.option("-k", type=number_range("k"), help="Number of tracks to return.  [default: 10]")
@click.option(
    "--min-similarity", type=number_range("min_similarity"), help="Return all tracks with at least this similarity."
)
@click.option(
    "--max-per-artist", type=number_range("max_per_artist"), help="Maximum number of tracks by the same artist."
)
@click.option(
    "--max-per-album", type=number_range("max_per_album"), help="Maximum number of tracks from the same album."
)
@click.option("--genre", help="Return only tracks of this genre.")
@click.option(
    "--tag", "tags", multiple=True, help="Return only tracks with this likely auto-tag, such as guitar. Repeatable."
)
@click.option(
    "--mood",
    "moods",
    multiple=True,
    type=click.Choice(MOODS, case_sensitive=False),
    metavar="MOOD",
    help=f"The same for a mood: {', '.join(MOODS)}. Repeatable.",
)
@click.option("--year", "years", type=YEARS, help="Return only tracks of these years, such as 1990-1999.")
@click.option("--duration", type=DURATIONS, help="Return only tracks of this duration, such as 2:00-5:00.")
@click.option("--tempo", type=TEMPOS, help="Return only tracks of this tempo in BPM, such as 118-124.")
@click.option("--key", help="Return only tracks in this key, such as 'A minor'.")
@click.option("--folder", type=click.Path(path_type=Path), help="Return only tracks in this folder.")
@click.option(
    "--diversity",
    default=0.0,
    show_default=True,
    type=number_range("diversity"),
    help="Pass over tracks that resemble those above them in the list; more, the larger this is.",
)
@click.option("--least-similar", is_flag=True, help="Return the tracks that are least similar.")
@click.option("--same-recording", is_flag=True, help="Also return other files of the query's recording.")
@click.option(
    "--m3u", type=click.Path(dir_okay=False, path_type=Path), help="Also write the tracks to this M3U playlist."
)
@compute_options
@force_option
@as_json
@click.pass_context
def similar(
    ctx: click.Context,
    queries: tuple[str, ...],
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    segment: Range | None,
    k: int | None,
    min_similarity: float | None,
    max_per_artist: int | None,
    max_per_album: int | None,
    genre: str | None,
    tags: tuple[str, ...],
    moods: tuple[str, ...],
    years: Range | None,
    duration: Range | None,
    tempo: Range | None,
    key: str | None,
    folder: Path | None,
    diversity: float,
    least_similar: bool,
    same_recording: bool,
    m3u: Path | None,
    precision: str,
    device: str,
    force: bool,
    as_json: bool,
) -> None:
    """Find the tracks that are most similar to given tracks or files.

    A QUERY is an audio file, or the file name, title or artist of a track in the library. Several queries are averaged.
    """
    from sonotheque import console

    if not queries and not like:
        raise click.UsageError("Missing argument 'QUERY...' or option '--like'.")
    if segment is not None and None in segment:
        raise click.BadParameter("write a start and an end, such as 1:10-1:25.", param_hint="'--segment'")
    (min_year, max_year), (min_duration, max_duration), (min_tempo, max_tempo) = (
        ends or NO_RANGE for ends in (years, duration, tempo)
    )
    library = open_library(ctx, precision=precision, device=device)
    result = library.similar(
        *queries,
        *like,
        unlike=unlike,
        segment=None if segment is None else (segment[0] or 0.0, segment[1] or 0.0),
        k=k,
        min_similarity=min_similarity,
        max_per_artist=max_per_artist,
        max_per_album=max_per_album,
        genre=genre,
        tags=[*tags, *moods],
        key=key,
        folder=folder,
        min_year=None if min_year is None else int(min_year),
        max_year=None if max_year is None else int(max_year),
        min_duration=min_duration,
        max_duration=max_duration,
        min_tempo=min_tempo,
        max_tempo=max_tempo,
        diversity=diversity,
        farthest=least_similar,
        same_recording=same_recording,
        m3u=m3u,
        force=force,
    )
    if as_json:
        console.print_json(result)
    else:
        console.print_similar_tracks(result)

"""The command ``sonotheque index``: build the indexes again, or choose their kind."""

from __future__ import annotations

import click

from sonotheque.cli.options import as_json, open_library

KINDS = ("auto", "exact", "hnsw", "ivf")
"""The kinds of `sonotheque.index.approximate.KINDS`, which takes time to import."""


@click.command()
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="Kind of index, which the library remembers. exact compares a query with every vector. hnsw follows a graph; ivf searches "
    "compressed vectors. auto: exact up to 200,000 tracks, then hnsw, and ivf from 5 million.",
)
@as_json
@click.pass_context
def index(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """Build the search index of each space again, and measure its recall.

    This is rarely needed: indexes follow changes by themselves.
    """
    from sonotheque import console

    result = open_library(ctx).build_indexes(kind=kind)
    if as_json:
        console.print_json(result)
    else:
        console.print_indexes(result)

"""The command ``sonotheque weights``: the published networks, what of them is on this machine, and fetching them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sonotheque.errors import WeightsError

if TYPE_CHECKING:
    from sonotheque.embed.weights.openl3 import PublishedModel

DEFAULT = "openl3-music-mel256"

name_argument = click.argument("name", default=DEFAULT, metavar="[NAME]")


def _model(name: str) -> PublishedModel:
    from sonotheque.embed.weights.openl3 import MODELS

    if name not in MODELS:
        raise WeightsError(f"{name}: no published network; there are {', '.join(MODELS)}")
    return MODELS[name]


@click.group()
def weights() -> None:
    """Show, fetch and check the networks that do not ship with sonotheque."""


@weights.command("list")
def list_() -> None:
    """List the published networks and whether they are on this machine."""
    from sonotheque.console import table
    from sonotheque.embed.weights.fetch import cached
    from sonotheque.embed.weights.openl3 import CITATION, LICENCE, MODELS

    rows = [[name, "here" if cached(model) else "-", model.address] for name, model in MODELS.items()]
    table(["name", "cached", "address"], rows)
    click.echo(f"{LICENCE}; {CITATION}")


@weights.command()
@name_argument
def fetch(name: str) -> None:
    """Fetch a network into your cache; openl3-music-mel256 by default."""
    from sonotheque.console import progress_bar
    from sonotheque.embed.weights import fetch as fetching

    model = _model(name)
    with progress_bar(f"fetching {name}", amount="bytes") as progress:
        path = fetching.fetch(model, progress=progress)
    click.echo(path)


@weights.command()
def verify() -> None:
    """Check the networks in your cache against their published sums."""
    from sonotheque.embed.weights.fetch import cached, is_published
    from sonotheque.embed.weights.openl3 import MODELS

    damaged = 0
    for name, model in MODELS.items():
        path = cached(model)
        if path:
            good = is_published(path.read_bytes(), model)
            damaged += not good
            click.echo(f"{name}: {'as published' if good else f'NOT as published; delete {path} and fetch it again'}")
    if damaged:
        raise WeightsError(f"{damaged} networks in the cache are damaged")


@weights.command()
@name_argument
def path(name: str) -> None:
    """Print where a network lies."""
    from sonotheque.embed.openl3.embedder import local_weights

    click.echo(local_weights(_model(name)))

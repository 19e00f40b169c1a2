"""The command ``sonotheque weights``: list, download and verify the published weights of OpenL3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sonotheque.errors import WeightsError

if TYPE_CHECKING:
    from sonotheque.embed.weights.openl3 import PublishedModel

DEFAULT = "openl3-music-mel256"

name_argument = click.argument("name", default=DEFAULT, metavar="[NAME]")


def _published_model(name: str) -> PublishedModel:
    from sonotheque.embed.weights.openl3 import MODELS

    if name not in MODELS:
        raise WeightsError(f"{name}: unknown model; the published models are {', '.join(MODELS)}")
    return MODELS[name]


@click.group()
def weights() -> None:
    """List, download and verify pretrained networks."""


@weights.command("list")
def list_() -> None:
    """List the published networks and which ones are in your cache."""
    from sonotheque.console import print_table
    from sonotheque.embed.weights.fetch import find_cached
    from sonotheque.embed.weights.openl3 import CITATION, LICENCE, MODELS

    rows = [[name, "yes" if find_cached(model) else "no", model.url] for name, model in MODELS.items()]
    print_table(["name", "cached", "address"], rows)
    click.echo(f"{LICENCE}; {CITATION}")


@weights.command()
@name_argument
def fetch(name: str) -> None:
    """Download a network (default: openl3-music-mel256)."""
    from sonotheque.console import progress_bar
    from sonotheque.embed.weights import fetch as fetching

    model = _published_model(name)
    with progress_bar(f"downloading {name}", unit="bytes") as progress:
        path = fetching.fetch_weights(model, progress=progress)
    click.echo(path)


@weights.command()
def verify() -> None:
    """Verify the checksums of the networks in your cache."""
    from sonotheque.embed.weights.fetch import find_cached, is_published
    from sonotheque.embed.weights.openl3 import MODELS
    from sonotheque.user_folders import cache_folder

    cache_folder()  # without one, there is nothing to verify
    n_damaged = 0
    for name, model in MODELS.items():
        path = find_cached(model)
        if path:
            is_intact = is_published(path.read_bytes(), model)
            n_damaged += not is_intact
            click.echo(f"{name}: {'OK' if is_intact else f'damaged; delete {path} and download it again'}")
    if n_damaged:
        raise WeightsError(f"{n_damaged} networks in the cache are damaged")


@weights.command()
@name_argument
def path(name: str) -> None:
    """Print the path of a downloaded network."""
    from sonotheque.embed.openl3.embedder import find_weights

    click.echo(find_weights(_published_model(name)))

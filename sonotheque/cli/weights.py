"""The command ``sonotheque weights``: list, download and verify the published weights of OpenL3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sonotheque.errors import WeightsError
from sonotheque.plurals import pluralize

if TYPE_CHECKING:
    from sonotheque.embed.weights.openl3 import PublishedModel

name_argument = click.argument("name", default="openl3", metavar="[NAME]")


def _published_model(name: str) -> PublishedModel:
    """Return the model with this name, or the one that an embedder or a space uses."""
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.registry import NAMES
    from sonotheque.embed.space import FRAMES_SUFFIX
    from sonotheque.embed.weights.openl3 import MODELS

    variant = Variant.parse(name.replace(FRAMES_SUFFIX, ""))
    if variant is None:
        if name in NAMES:
            raise WeightsError(f"{name}: its weights, if it needs any, ship with its package; nothing to download")
        raise WeightsError(f"{name}: unknown model; use openl3 or one of {', '.join(MODELS)}")
    return variant.published_model


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
    """Download a network. The default, openl3, is openl3-music-mel256.

    New libraries then use it: see `add --embedder auto`. The file is about 17 MB and is verified before it is used.
    """
    from sonotheque.console import progress_bar
    from sonotheque.embed.weights import fetch as fetching

    model = _published_model(name)
    with progress_bar(f"downloading {model.name}", unit="bytes") as progress:
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
        raise WeightsError(f"{pluralize(n_damaged, 'damaged network')} in the cache")


@weights.command()
@name_argument
def path(name: str) -> None:
    """Print the path of a downloaded network."""
    from sonotheque.embed.openl3.embedder import find_weights

    click.echo(find_weights(_published_model(name)))

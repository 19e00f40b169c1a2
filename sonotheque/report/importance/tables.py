"""The tables on a model's reasons as HTML: losses of families, what speaks for each genre to trees, and in tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque.report.importance.collected import Importance, Tag
from sonotheque.report.importance.text import family_name
from sonotheque.report.markup import Html, join, table, tag
from sonotheque.report.wording import Words
from sonotheque.types import Float64Array

FAMILIES, COLUMNS = 3, 4
"""What is named for each genre."""


def loss_table(importance: Importance, words: Words) -> Html:
    """List the losses of spaces and families, in accuracy and in log loss."""
    rows: list[list[str]] = []
    for loss in (*importance.spaces, *importance.families):
        low, high = loss.drop_interval
        rows.append(
            [
                family_name(loss.family, words),
                join(
                    [
                        words.points(loss.drop),
                        tag("small", words.interval((100 * low, 100 * high), digits=1, sign=True)),
                    ]
                ),
                join(
                    [
                        words.number(loss.rise, sign=True),
                        tag("small", words.interval(loss.rise_interval, sign=True)),
                    ]
                ),
            ]
        )
    titles = [words.say(f"column {name}") for name in ("family", "drop", "rise")]
    return tag("details", tag("summary", words.say("as numbers")), table(titles, rows, numbers=(1, 2)))


def tree_table(importance: Importance, labels: Sequence[str], genres: Sequence[str], words: Words) -> Html:
    """List what speaks for or against each genre to trees; `labels` name the columns of the strengths, `genres` the rows."""
    trees = importance.trees
    if trees is None:
        return Html("")

    def best(strengths: Float64Array, most: int) -> list[int]:
        return [int(place) for place in np.argsort(-strengths, kind="stable")[:most] if strengths[place] > 0]

    rows: list[list[str]] = []
    for genre in genres:
        code = labels.index(genre)
        families = [family_name(trees.families[n], words) for n in best(trees.strengths[:, code], FAMILIES)]
        columns = [
            f"{'↑' if trees.directions[n, code] > 0 else '↓'}\u00a0{trees.columns[n][1]}"
            for n in best(trees.column_strengths[:, code], COLUMNS)
        ]
        rows.append([genre, _lines(families), _lines(columns)])
    return table([words.say(f"column {name}") for name in ("genre", "families", "columns")], rows)


def tag_table(importance: Importance, words: Words) -> Html:
    """List the tags that rise and fall with each genre."""
    if not importance.tags:
        return Html("")

    def said(tags: Sequence[Tag]) -> Html:
        return _lines(
            [
                f"{one.name} {words.number(one.correlation, digits=2)} ({words.interval(one.interval, digits=2)})"
                for one in tags
            ]
        )

    rows = [[genre.label, said(genre.rising), said(genre.falling)] for genre in importance.tags]
    return table([words.say(f"column {name}") for name in ("genre", "rising", "falling")], rows)


def _lines(texts: Sequence[str]) -> Html:
    return join([tag("div", text) for text in texts] or ["–"])

"""Which sentences on a model's reasons its importance supports, filled in with numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sonotheque.classify.evaluation.feature_importance import FeatureFamily
from sonotheque.embed.space import short_name
from sonotheque.report.importance.collected import Importance
from sonotheque.report.wording import Words
from sonotheque.types import Interval

MOST_ADDED = 3
"""Families that are named as adding most."""


def family_name(family: FeatureFamily, words: Words) -> str:
    """Name a family for a person; a whole space by the first part of its id."""
    if not family.name:
        return words.say("whole space", space=short_name(family.space))
    return words.say(f"family {family.name}")


def on_reasons(importance: Importance | None, words: Words, *, model: str) -> dict[str, Iterator[str]]:
    """Say all that can be said, by section of the page."""
    if importance is None:
        return {}
    return {
        "importance": on_families(importance, words),
        "trees": on_trees(importance, words),
        "tags": on_tags(importance, words, model=model),
    }


def on_families(importance: Importance, words: Words) -> Iterator[str]:
    """Say what the answers lose without spaces and families."""
    yield words.say("importance what")
    for loss in importance.spaces:
        yield words.say(
            "importance space",
            space=short_name(loss.family.space),
            points=words.points(-loss.drop),
            interval=_points(loss.drop_interval, words),
        )
    named = {loss.family.space for loss in importance.families}
    nameless = [loss.family.space for loss in importance.spaces if loss.family.space not in named]
    if nameless:
        yield words.say("importance nameless", spaces=words.listed(list(map(short_name, nameless))))
    if not importance.families:
        return
    clear = [loss for loss in importance.families if loss.rise_interval[0] > 0]
    if clear:
        yield words.say(
            "importance top",
            count=len(importance.families),
            clear=len(clear),
            family=family_name(clear[0].family, words),
            rise=words.number(clear[0].rise, sign=True),
            interval=words.interval(clear[0].rise_interval, sign=True),
            points=words.points(-clear[0].drop),
            between=_points(clear[0].drop_interval, words),
        )
    else:
        yield words.say("importance none", count=len(importance.families))
    yield words.say("importance shared")


def on_trees(importance: Importance, words: Words) -> Iterator[str]:
    """Say what boosted trees make of the columns, and which trees they are."""
    trees = importance.trees
    if trees is None:
        return
    spaces = list(dict.fromkeys(family.space for family in trees.families))
    yield words.say(
        "trees judged" if trees.judged else "trees own",
        models=words.listed(trees.models),
        spaces=words.listed(list(map(short_name, spaces))),
    )
    order = np.argsort(-trees.means, kind="stable")[:MOST_ADDED]
    yield words.say("trees what", families=words.listed([family_name(trees.families[n], words) for n in order]))
    yield words.say("trees caveat")


def on_tags(importance: Importance, words: Words, *, model: str) -> Iterator[str]:
    """Say which tags vary with the genres."""
    if not importance.tags:
        return
    yield words.say("tags what", model=model)
    best = sorted(
        ((genre.label, genre.rising[0]) for genre in importance.tags if genre.rising),
        key=lambda pair: -pair[1].correlation,
    )
    kinds = {"clear": best[:1], "weak": best[-1:] if len(best) > 1 else []}
    for kind, pairs in kinds.items():
        for label, tag in pairs:
            yield words.say(
                f"tags {kind}",
                label=label,
                tag=tag.name,
                correlation=words.number(tag.correlation, digits=2),
                interval=words.interval(tag.interval, digits=2),
            )
    silent = [genre.label for genre in importance.tags if not genre.rising and not genre.falling]
    if silent:
        yield words.say("tags silent", labels=words.listed(silent))
    yield words.say("tags caveat")


def _points(lost: Interval, words: Words) -> str:
    """Write the interval of a drop as changes, in percentage points."""
    return words.interval((-100 * lost[1], -100 * lost[0]), digits=1, sign=True)

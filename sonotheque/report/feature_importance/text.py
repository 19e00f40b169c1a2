"""The text about feature importance: choose the sentences that the data support, and fill in the numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sonotheque.classify.evaluation.feature_importance import FeatureFamily
from sonotheque.embed.space import short_name
from sonotheque.report.feature_importance.importance_data import ImportanceData
from sonotheque.report.translation import Translator
from sonotheque.types import Interval

MAX_CONTRIBUTIONS = 3
"""Feature families named as those with the largest SHAP values."""


def format_family_name(family: FeatureFamily, translator: Translator) -> str:
    """Format the name of a feature family, or of a whole space if the family has no name."""
    if not family.name:
        return translator.translate("feature_family.whole_space", space=short_name(family.space))
    return translator.translate(f"feature_family.{family.name}")


def describe_importance(
    importance: ImportanceData | None, translator: Translator, *, model: str
) -> dict[str, Iterator[str]]:
    """Describe the feature importance, as sentences by section of the page."""
    if importance is None:
        return {}
    return {
        "importance": describe_permutation_importance(importance, translator),
        "shap": describe_shap_values(importance, translator),
        "auto_tags": describe_auto_tags(importance, translator, model=model),
    }


def describe_permutation_importance(importance: ImportanceData, translator: Translator) -> Iterator[str]:
    """Describe what predictions lose when a space or a feature family is permuted."""
    yield translator.translate("importance.method")
    for loss in importance.space_losses:
        yield translator.translate(
            "importance.space",
            space=short_name(loss.family.space),
            points=translator.format_points(-loss.drop),
            interval=_format_accuracy_change(loss.drop_interval, translator),
        )
    named = {loss.family.space for loss in importance.family_losses}
    unnamed = [loss.family.space for loss in importance.space_losses if loss.family.space not in named]
    if unnamed:
        yield translator.translate(
            "importance.unnamed_features", spaces=translator.format_list(list(map(short_name, unnamed)))
        )
    if not importance.family_losses:
        return
    significant = [loss for loss in importance.family_losses if loss.rise_interval[0] > 0]
    if significant:
        yield translator.translate(
            "importance.most_important",
            count=len(importance.family_losses),
            clear=len(significant),
            family=format_family_name(significant[0].family, translator),
            rise=translator.format_number(significant[0].rise, sign=True),
            interval=translator.format_interval(significant[0].rise_interval, sign=True),
            points=translator.format_points(-significant[0].drop),
            between=_format_accuracy_change(significant[0].drop_interval, translator),
        )
    else:
        yield translator.translate("importance.none_important", count=len(importance.family_losses))
    yield translator.translate("importance.correlated")


def describe_shap_values(importance: ImportanceData, translator: Translator) -> Iterator[str]:
    """Describe the SHAP values of boosted trees, and which trees they are."""
    shap = importance.shap
    if shap is None:
        return
    models = translator.format_list(shap.models)
    if shap.from_classifier:
        yield translator.translate("shap.evaluated_trees", models=models)
    else:
        spaces = list(dict.fromkeys(short_name(family.space) for family in shap.families))
        yield translator.translate("shap.fitted_trees", models=models, spaces=translator.format_list(spaces))
    order = np.argsort(-shap.means, kind="stable")[:MAX_CONTRIBUTIONS]
    families = [format_family_name(shap.families[number], translator) for number in order]
    yield translator.translate("shap.method", families=translator.format_list(families))
    yield translator.translate("shap.caveat")


def describe_auto_tags(importance: ImportanceData, translator: Translator, *, model: str) -> Iterator[str]:
    """Describe the auto-tags that correlate with the predicted genres."""
    if not importance.auto_tags:
        return
    yield translator.translate("auto_tags.method", model=model)
    strongest_tags = sorted(
        ((genre.label, genre.positive[0]) for genre in importance.auto_tags if genre.positive),
        key=lambda pair: -pair[1].correlation,
    )
    for kind, pairs in {"strongest": strongest_tags[:1], "weakest": strongest_tags[1:][-1:]}.items():
        for label, tag in pairs:
            yield translator.translate(
                f"auto_tags.{kind}",
                label=label,
                tag=tag.name,
                correlation=translator.format_number(tag.correlation, digits=2),
                interval=translator.format_interval(tag.interval, digits=2),
            )
    uncorrelated = [genre.label for genre in importance.auto_tags if not genre.positive and not genre.negative]
    if uncorrelated:
        yield translator.translate("auto_tags.no_correlation", labels=translator.format_list(uncorrelated))
    yield translator.translate("auto_tags.caveat")


def _format_accuracy_change(drop_interval: Interval, translator: Translator) -> str:
    """Format the interval of a decrease as one of changes, in percentage points."""
    low, high = drop_interval
    return translator.format_interval((-100 * high, -100 * low), digits=1, sign=True)

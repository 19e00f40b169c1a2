"""Names of the models in a model comparison, as the report shows them."""

from __future__ import annotations

from sonotheque import results
from sonotheque.classify.models.aggregation import AGGREGATIONS
from sonotheque.embed.space import short_name
from sonotheque.report.translation import Translator


def format_model_name(row: results.ComparisonRow, translator: Translator) -> str:
    """Format a row of the model comparison as one line: model, spaces, aggregation, augmentation."""
    if row.decision not in AGGREGATIONS:
        key = f"model_name.{row.model}"
        return translator.translate(key) if key in translator else row.model
    spaces = " + ".join(map(short_name, row.spaces))
    aggregation = "" if row.decision == "track" else f", {translator.translate(f'aggregation_name.{row.decision}')}"
    augmented = f", {translator.translate('model_name.augmented')}" if row.copies else ""
    return f"{row.model} · {spaces}{aggregation}{augmented}"

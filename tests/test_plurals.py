"""Counts in messages: the noun agrees with the count, and no message makes its own plural."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sonotheque.console.progress import format_progress, format_rate
from sonotheque.plurals import pluralize, summarize_counts

PACKAGE = Path(__file__).parent.parent / "sonotheque"

NOUNS = (
    *(
        "artist",
        "change",
        "cluster",
        "cop(?:y|ie)",
        "correction",
        "decision",
        "duplicate",
        "error",
        "excerpt",
        "file",
        "fold",
    ),
    *(
        "genre",
        "label",
        "labelled track",
        "match",
        "model",
        "network",
        "prediction",
        "problem",
        "row",
        "segment",
        "track",
    ),
    *("trial", "value"),
)
COUNTED = re.compile(rf"^ (?:\w+ )?(?:{'|'.join(NOUNS)})s?\b")
SQL = re.compile(r"\b(?:FROM|WHERE) ")
ALWAYS_SEVERAL = {
    "evaluation/cross_validation.py: folds": "two folds or more",
    "evaluation/cross_validation.py: folds need two genres with ": "two folds or more",
    "evaluation/cross_validation.py: artists each, but ": "two artists or more",
    "evaluation/evaluate_model.py: stratified folds grouped by ": "two folds or more",
    "evaluation/model_comparison.py: stratified folds grouped by artist, seed ": "two folds or more",
    "evaluation/model_comparison.py: artists; label more artists": "two artists or more",
    "library/add_files.py: files could be used; ": "several files, by a condition",
    "data/given_split.py: labelled tracks is in the ": "at least two genres, so two tracks or more",
    "library/library.py: tracks (the limit is 200,000); only vectors and attributes are written": "more than 200,000 tracks",
    "map/data.py: artists with the most tracks.": "as many as there are colours",
    "map/page.py: tracks on.": "a constant, 21",
    "map/page.py: tracks, the positions say little: how well a map keeps the neighbours can be measured from ": "not one track",
    "similar/neighbours.py: the genre ": "no count",
    "similar/neighbours.py: per artist leaves out ": "a rate",
    "similar/query.py: tracks have that ": "several matches",
    "similar/query.py: tracks: ": "several tracks",
}
"""Counts that are at least two wherever they are written, and why."""


def find_counts_with_a_fixed_noun(path: Path) -> list[str]:
    """Find the texts that follow a value in f-strings and in log messages, and begin with a noun that is counted."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                if isinstance(before, ast.FormattedValue) and isinstance(after, ast.Constant):
                    is_text = before.format_spec is not None or "pluralize" in ast.unparse(before.value)
                    if not is_text and COUNTED.match(str(after.value)) and not SQL.search(str(after.value)):
                        found.append(str(after.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [match[1] for match in re.finditer(r"%d( [^%]*)", node.value) if COUNTED.match(match[1])]
    return [f"{'/'.join(path.parts[-2:])}:{text}" for text in found]


def test_no_message_makes_its_own_plural() -> None:
    found = [text for path in sorted(PACKAGE.rglob("*.py")) for text in find_counts_with_a_fixed_noun(path)]
    assert [text for text in found if text not in ALWAYS_SEVERAL] == []


def test_the_search_for_fixed_nouns_finds_them(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text(
        'f"{n} files"; f"{n} of them"; f"{pluralize(n, \'row\')} rows"; log.info("%d more tracks: %s", n)'
    )
    assert len(find_counts_with_a_fixed_noun(source)) == 2


@pytest.mark.parametrize(("count", "text"), [(0, "0 copies"), (1, "1 copy"), (2, "2 copies")])
def test_pluralize(count: int, text: str) -> None:
    assert pluralize(count, "copy", "copies") == text


def test_counts_of_nothing_are_left_out() -> None:
    assert (
        summarize_counts("file", {"embedded": 0, "already known": 1, "failed": 2}) == "1 file already known, 2 failed"
    )
    assert summarize_counts("file", {"embedded": 0, "failed": 0}) == "0 files embedded"


def test_bars_count_with_a_unit_and_rates_are_plausible() -> None:
    assert [format_progress(1, total, unit="trials") for total in (1, 40)] == ["1 of 1 trial", "1 of 40 trials"]
    assert format_rate(5.5, done=46) == "330 a minute"
    assert [format_rate(rate, done=46) for rate in (None, 0.0, 0.001, 46_284.2)] == [""] * 4
    assert format_rate(5.5, done=2) == ""

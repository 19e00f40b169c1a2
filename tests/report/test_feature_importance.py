"""Feature importance in the report: figures, text and tables say what the data support."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from sonotheque import Library
from sonotheque.embed import descriptors, musicnn
from sonotheque.embed.auto_tags import tag_logits
from sonotheque.report import ReportData
from sonotheque.report.feature_importance.figures import build_importance_figures
from sonotheque.report.feature_importance.importance_data import ImportanceData, load_logits_of_tracks
from sonotheque.report.feature_importance.tables import (
    build_auto_tag_table,
    build_permutation_table,
    build_shap_table,
)
from sonotheque.report.feature_importance.text import (
    describe_auto_tags,
    describe_permutation_importance,
    describe_shap_values,
    format_family_name,
)
from sonotheque.report.report_statistics import compute_statistics
from sonotheque.report.translation import LANGUAGES, Translator

ENGLISH = Translator("en")


@pytest.fixture(scope="module")
def importance(report_data: ReportData) -> ImportanceData:
    assert report_data.importance is not None
    return report_data.importance


def test_the_informative_family_is_the_most_important(report_data: ReportData, importance: ImportanceData) -> None:
    assert importance.family_losses[0].family.name == "mfcc"
    assert importance.family_losses[0].rise_interval[0] > 0
    assert [loss.family.space for loss in importance.space_losses] != []
    text = list(describe_permutation_importance(importance, ENGLISH))
    assert any("The most important is timbre (MFCC)" in sentence for sentence in text)
    first = report_data.evaluation.importance[2]
    assert (first.space, first.family) == (descriptors.SPACE.id, "mfcc")
    assert [one.family for one in report_data.evaluation.importance[:2]] == [None, None]


def test_figures_show_the_losses(importance: ImportanceData) -> None:
    permutation, trees, columns = build_importance_figures(importance, ENGLISH)
    bars = permutation.data[0]
    assert bars["x"] == [loss.rise for loss in importance.family_losses]
    grey = [colour == "@faint" for colour in bars["marker"]["color"]]
    assert grey == [loss.rise_interval[0] <= 0 for loss in importance.family_losses]
    assert "timbre (MFCC)" in permutation.alt
    assert importance.shap is not None
    assert trees.data[0]["x"] == sorted(importance.shap.means.tolist(), reverse=True)
    assert "error_x" in trees.data[0]
    assert "error_x" not in columns.data[0]


def test_only_spaces_are_drawn_without_named_features(importance: ImportanceData) -> None:
    bare = ImportanceData(importance.space_losses, None, [])
    (figure,) = build_importance_figures(bare, ENGLISH)
    assert len(figure.data[0]["x"]) == 2
    assert build_importance_figures(ImportanceData(importance.space_losses[:1], None, []), ENGLISH) == []
    assert not any("families" in sentence for sentence in describe_permutation_importance(bare, ENGLISH))
    assert [*describe_shap_values(bare, ENGLISH), *describe_auto_tags(bare, ENGLISH, model="knn")] == []
    assert build_shap_table(bare, [], [], ENGLISH) == build_auto_tag_table(bare, ENGLISH) == ""


def test_insignificant_importance_is_not_claimed(importance: ImportanceData) -> None:
    weak = [replace(loss, rise_interval=(-0.1, 0.1)) for loss in importance.losses]
    text = " ".join(describe_permutation_importance(replace(importance, losses=weak), ENGLISH))
    assert "None of the 18 feature families" in text
    assert "The most important" not in text


def test_text_says_whether_the_trees_were_evaluated(importance: ImportanceData) -> None:
    assert importance.shap is not None
    assert not importance.shap.from_classifier
    assert "For this section only, lightgbm was trained on descriptors" in next(
        describe_shap_values(importance, ENGLISH)
    )
    evaluated = replace(importance, shap=replace(importance.shap, from_classifier=True))
    assert "The evaluated model includes boosted trees (lightgbm)" in next(describe_shap_values(evaluated, ENGLISH))


def test_auto_tags_have_intervals_without_0(importance: ImportanceData) -> None:
    assert [genre.label for genre in importance.auto_tags] != []
    for genre in importance.auto_tags:
        assert all(tag.interval[0] > 0 for tag in genre.positive)
        assert all(tag.interval[1] < 0 for tag in genre.negative)
        correlations = [tag.correlation for tag in genre.positive]
        assert correlations == sorted(correlations, reverse=True)
    named = {genre.label: {tag.name for tag in genre.positive} for genre in importance.auto_tags}
    assert "acoustic" in named["acoustic"]
    assert "ambient" in named["ambient"]
    silent = replace(importance, auto_tags=[replace(importance.auto_tags[0], label="ska", positive=(), negative=())])
    assert "No tag is clearly correlated with ska." in list(describe_auto_tags(silent, ENGLISH, model="knn"))


def test_tables_name_every_genre(report_data: ReportData, importance: ImportanceData) -> None:
    genres = [genre.label for genre in compute_statistics(report_data).genres]
    trees = build_shap_table(importance, report_data.cross_validation.labels, genres, ENGLISH)
    for genre in genres:
        assert f'<th scope="row">{genre}</th>' in trees
        assert f'<th scope="row">{genre}</th>' in build_auto_tag_table(importance, ENGLISH)
    assert build_permutation_table(importance, ENGLISH).count("<tr>") == 1 + 2 + 18


def test_every_family_has_a_name(importance: ImportanceData) -> None:
    for name in [*descriptors.family_slices(), "lowlevel", "rhythm", "tonal"]:
        assert all(f"feature_family.{name}" in Translator(lang) for lang in LANGUAGES)
    assert format_family_name(importance.space_losses[0].family, ENGLISH).endswith("(all features)")


def test_auto_tags_are_in_the_order_of_the_tracks(demo_library: Library, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    catalogue = demo_library.catalogue
    tracks = [track for track in catalogue.tracks.all() if track.label][::-1]
    logits = load_logits_of_tracks(catalogue, tracks)
    assert logits is not None
    vector = catalogue.vectors.track_vector(tracks[0].id, musicnn.SPACE.id)
    assert logits[0] == pytest.approx(tag_logits(vector[None])[0])
    assert load_logits_of_tracks(catalogue, [*tracks, tracks[0]._replace(id=-1)]) is None
    assert (
        f"1 track (of {len(tracks) + 1}) without any; `sonotheque add FOLDER --auto-tags` computes them" in caplog.text
    )


def test_a_library_with_only_musicnn_has_auto_tags_but_no_families(demo_library: Library, tmp_path: Path) -> None:
    evaluated = demo_library.evaluate(model="knn", report=tmp_path / "report")
    (whole,) = evaluated.importance
    assert (whole.space, whole.family) == (musicnn.SPACE.id, None)
    assert whole.drop_interval[0] > 0
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    sections = {name: f'<section id="{name}"' in page for name in ("importance", "shap", "auto_tags")}
    assert sections == {"importance": True, "shap": False, "auto_tags": True}
    assert demo_library.evaluate(model="knn").importance == ()

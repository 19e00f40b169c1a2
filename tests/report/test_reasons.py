"""The part on a model's reasons says what its importance supports, in figures, sentences and tables alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.embed import descriptors, musicnn
from sonotheque.report import Findings
from sonotheque.report.evidence import weigh
from sonotheque.report.importance.collected import Importance, musicnn_vectors
from sonotheque.report.importance.figures import draw_importance
from sonotheque.report.importance.tables import loss_table, tag_table, tree_table
from sonotheque.report.importance.text import family_name, on_families, on_tags, on_trees
from sonotheque.report.importance.words import REASONS
from sonotheque.report.wording import Words

ENGLISH = Words("en")


@pytest.fixture(scope="module")
def importance(findings: Findings) -> Importance:
    assert findings.importance is not None
    return findings.importance


def test_the_family_that_varies_with_the_music_is_needed_most(findings: Findings, importance: Importance) -> None:
    assert importance.families[0].family.name == "mfcc"
    assert importance.families[0].rise_interval[0] > 0
    assert [loss.family.space for loss in importance.spaces] != []
    said = list(on_families(importance, ENGLISH))
    assert any("Most of all timbre (MFCC)" in sentence for sentence in said)
    first = findings.evaluated.importance[2]
    assert (first.space, first.family) == (descriptors.SPACE.id, "mfcc")
    assert [one.family for one in findings.evaluated.importance[:2]] == [None, None]


def test_figures_show_the_losses(importance: Importance) -> None:
    permutation, trees, columns = draw_importance(importance, ENGLISH)
    bars = permutation.data[0]
    assert bars["x"] == [loss.rise for loss in importance.families]
    grey = [colour == "@faint" for colour in bars["marker"]["color"]]
    assert grey == [loss.rise_interval[0] <= 0 for loss in importance.families]
    assert "timbre (MFCC)" in permutation.alt
    assert importance.trees is not None
    assert trees.data[0]["x"] == sorted(importance.trees.means.tolist(), reverse=True)
    assert "error_x" in trees.data[0]
    assert "error_x" not in columns.data[0]


def test_only_spaces_are_drawn_where_nothing_has_a_name(importance: Importance) -> None:
    bare = Importance(importance.spaces, None, [])
    (figure,) = draw_importance(bare, ENGLISH)
    assert len(figure.data[0]["x"]) == 2
    assert draw_importance(Importance(importance.spaces[:1], None, []), ENGLISH) == []
    assert not any("families" in sentence for sentence in on_families(bare, ENGLISH))
    assert [*on_trees(bare, ENGLISH), *on_tags(bare, ENGLISH, model="knn")] == []
    assert tree_table(bare, [], [], ENGLISH) == tag_table(bare, ENGLISH) == ""


def test_what_cannot_be_shown_is_not_claimed(importance: Importance) -> None:
    weak = [replace(loss, rise_interval=(-0.1, 0.1)) for loss in importance.losses]
    said = " ".join(on_families(replace(importance, losses=weak), ENGLISH))
    assert "Of none of the 18 families" in said
    assert "Most of all" not in said


def test_trees_that_were_not_judged_are_called_so(importance: Importance) -> None:
    assert importance.trees is not None
    assert not importance.trees.judged
    assert "For this section alone lightgbm learned from descriptors" in next(on_trees(importance, ENGLISH))
    own = replace(importance, trees=replace(importance.trees, judged=True))
    assert "Among the judged models" in next(on_trees(own, ENGLISH))


def test_tags_are_those_whose_interval_leaves_out_0(importance: Importance) -> None:
    assert [genre.label for genre in importance.tags] != []
    for genre in importance.tags:
        assert all(tag.interval[0] > 0 for tag in genre.rising)
        assert all(tag.interval[1] < 0 for tag in genre.falling)
        correlations = [tag.correlation for tag in genre.rising]
        assert correlations == sorted(correlations, reverse=True)
    named = {genre.label: {tag.name for tag in genre.rising} for genre in importance.tags}
    assert "acoustic" in named["acoustic"]
    assert "ambient" in named["ambient"]
    silent = replace(importance, tags=[replace(importance.tags[0], label="ska", rising=(), falling=())])
    assert "For ska no tag varies clearly." in list(on_tags(silent, ENGLISH, model="knn"))


def test_tables_name_every_genre(findings: Findings, importance: Importance) -> None:
    genres = [genre.label for genre in weigh(findings).genres]
    trees = tree_table(importance, findings.evaluation.labels, genres, ENGLISH)
    for genre in genres:
        assert f'<th scope="row">{genre}</th>' in trees
        assert f'<th scope="row">{genre}</th>' in tag_table(importance, ENGLISH)
    assert loss_table(importance, ENGLISH).count("<tr>") == 1 + 2 + 18


def test_every_family_has_a_name(importance: Importance) -> None:
    for name in [*descriptors.family_slices(), "lowlevel", "rhythm", "tonal"]:
        assert f"family {name}" in REASONS
    assert family_name(importance.spaces[0].family, ENGLISH).endswith(", as a whole")


def test_vectors_of_musicnn_are_looked_up_in_the_order_of_the_tracks(demo_library: Library) -> None:
    catalogue = demo_library.catalogue
    tracks = [track for track in catalogue.tracks.all() if track.label][::-1]
    vectors = musicnn_vectors(catalogue, tracks)
    ids, stored = catalogue.vectors.matrix(musicnn.SPACE.id)
    assert vectors is not None
    assert np.array_equal(vectors[0], stored[list(ids).index(tracks[0].id)])
    assert musicnn_vectors(catalogue, [*tracks, tracks[0]._replace(id=-1)]) is None


def test_a_library_of_musicnn_alone_has_tags_but_no_families(demo_library: Library, tmp_path: Path) -> None:
    evaluated = demo_library.evaluate(model="knn", report=tmp_path / "report")
    (whole,) = evaluated.importance
    assert (whole.space, whole.family) == (musicnn.SPACE.id, None)
    assert whole.drop_interval[0] > 0
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    sections = {name: f'<section id="{name}"' in page for name in ("importance", "trees", "tags")}
    assert sections == {"importance": True, "trees": False, "tags": True}
    assert demo_library.evaluate(model="knn").importance == ()

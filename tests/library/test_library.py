"""The class `Library`: labelling, training, classification, evaluation, and indexes that are rebuilt when needed."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from pathlib import Path

import pytest

from sonotheque import ClassifierError, LabelsError, Library, LibraryError, SpaceError
from sonotheque.demo import music, unlabelled


def test_train_and_classify(demo_library: Library) -> None:
    trained = demo_library.train()
    assert trained.model in {"knn", "logreg", "svm"}
    assert {candidate.model for candidate in trained.candidates} == {"knn", "logreg", "svm"}
    best = max(trained.candidates, key=lambda candidate: candidate.accuracy)
    assert best.accuracy == next(c.accuracy for c in trained.candidates if c.model == trained.model)
    result = demo_library.classify(unlabelled())
    assert len(result.tracks) == 9
    for track in result.tracks:
        assert sum(track.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert track.probability == max(track.probabilities.values()) == track.probabilities[track.genre]
        assert [neighbour.label for neighbour in track.neighbours] == [track.genre] * 3
    assert demo_library.status().tracks == 46


def test_a_track_is_not_its_own_neighbour(demo_library: Library) -> None:
    clip = music() / "metal" / "obsidian-shell-fear.mp3"
    (track,) = demo_library.classify(clip).tracks
    assert str(clip) not in [neighbour.path for neighbour in track.neighbours]


def test_classify_reports_failed_files(demo_library: Library, clips: Path) -> None:
    (clips / "words.mp3").write_text("words")
    result = demo_library.classify(clips)
    assert [Path(track.path).name for track in result.tracks] == ["ambient.mp3", "metal.ogg", "ave.mp3"]
    assert [Path(failure.path).name for failure in result.failed] == ["words.mp3"]


def test_stored_and_newly_extracted_vectors_give_the_same_predictions(demo_library: Library, clips: Path) -> None:
    stored = {Path(track.path).name: track.probabilities for track in demo_library.classify(clips).tracks}
    demo_library.remove(music() / "metal" / "muldjord-armygeddon.ogg")
    extracted = {Path(track.path).name: track.probabilities for track in demo_library.classify(clips).tracks}
    assert extracted == stored


def test_train_and_evaluate_give_one_accuracy_for_one_protocol(demo_library: Library) -> None:
    trained = demo_library.train(model="svm")
    evaluated = demo_library.evaluate(model="svm")
    assert trained.protocol == evaluated.protocol == "4 stratified folds grouped by artist, seed 0"
    assert trained.tested == evaluated.tracks == 36
    assert trained.accuracy == evaluated.accuracy < 1
    compared = demo_library.train()
    assert {one.model: one.accuracy for one in compared.candidates}["svm"] == evaluated.accuracy
    assert compared.protocol == evaluated.protocol
    assert compared.accuracy == max(one.accuracy for one in compared.candidates)


def test_evaluate(demo_library: Library) -> None:
    result = demo_library.evaluate(folds=3)
    assert result.folds == 3
    assert [genre.label for genre in result.genres] == ["acoustic", "ambient", "classical", "electronic", "metal"]
    assert sum(map(sum, result.confusion)) == result.tracks == 46
    assert result.accuracy > 0.8  # hand-picked clips: a lower accuracy would be a bug
    assert len(result.chosen) == 3


@pytest.mark.slow
def test_evaluate_needs_enough_artists(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Library(tmp_path / "library") as library:
        library.add(music() / "metal", music() / "ambient")
        with pytest.raises(ClassifierError, match="0 labelled tracks"):
            library.evaluate()
        library.add(music(), labels="folder")
        assert library.evaluate().tracks == 46 - 10  # metal has only three artists
        library.catalogue.database.execute("UPDATE tracks SET artist = NULL, album = NULL")
        library.evaluate()
    assert "too optimistic" in caplog.text


def test_labels_can_be_changed_later(demo_library: Library, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,genre\nobsidian-shell-fear,doom\nnobody,doom\n")
    result = demo_library.label(str(path))
    assert (result.matched, result.changed, result.unmatched) == (1, 1, ["nobody"])
    assert demo_library.status().labels["doom"] == 1
    assert demo_library.label("tags").changed == 46  # a different label or source
    path.write_text("file,genre\nnobody,doom\n")
    with pytest.raises(LabelsError, match="no row matches a track; the first of 1 row is"):
        demo_library.label(str(path))
    with pytest.raises(LabelsError, match="--labels folder"):
        demo_library.label("folder")


def test_replaced_labels_are_reported(demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,genre\nobsidian-shell-fear,5\n")
    demo_library.label(str(path), new_genres=True)
    assert "the labels are numbers" in caplog.text
    assert "1 label was replaced, for example 'metal' by '5'; `sonotheque undo` takes this back" in caplog.text


def test_ids_do_not_replace_names(demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A CSV with genre ids needs --ids; without it, no label becomes a number."""
    names = [Path(track.path).stem for track in demo_library.catalogue.tracks.all()]
    path = tmp_path / "train.csv"
    path.write_text("track_id,genre_id\n" + "".join(f"{name},7\n" for name in names))
    before = demo_library.status()
    for dry_run in (True, False):
        with pytest.raises(
            LabelsError, match=r"train\.csv: its labels are numbers such as '7'.* names such as 'acoustic'"
        ):
            demo_library.label(str(path), dry_run=dry_run)
    with pytest.raises(LabelsError, match="--ids FILE converts them"):
        demo_library.add(music() / "metal", labels=str(path))
    with pytest.raises(LabelsError, match="--ids FILE converts them"):
        demo_library.preview_add(music() / "metal", labels=str(path))
    assert demo_library.status() == before
    demo_library.label(str(path), new_genres=True)
    assert demo_library.status().labels == {"7": 46}
    path.write_text(f"track_id,genre_id\n{names[0]},8\n")
    assert demo_library.label(str(path)).changed == 1  # a library of numbers


def test_a_new_genre_that_resembles_another_is_pointed_out(
    demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,genre\nobsidian-shell-fear,metall\nmuldjord-chaos-god,doom\n")
    demo_library.label(str(path))
    assert "the genre 'metall' is new to this library (1 track); did you mean 'metal'?" in caplog.text
    assert "'doom'" not in caplog.text.replace("by 'doom'", "")


def test_conflicting_labels_of_duplicates_are_reported(
    tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (clips / "fast").mkdir()
    shutil.copy(clips / "slow" / "ave.mp3", clips / "fast" / "ave.mp3")
    with Library(tmp_path / "library") as library:
        assert library.add(clips, labels="folder").labels == {"fast": 1}
    assert "ave.mp3 (slow) is a duplicate of a file labelled fast" in caplog.text


def test_a_missing_or_damaged_index_is_rebuilt(demo_library: Library) -> None:
    query = music() / "metal" / "obsidian-shell-fear.mp3"
    expected = demo_library.similar(query)
    (folder,) = (demo_library.path / "index").iterdir()
    shutil.rmtree(folder)
    with Library(demo_library.path) as library:
        assert library.status().spaces[0].index == "missing"
        assert library.similar(query) == expected
        assert library.status().spaces[0].index == "exact"
    for pattern in ("ids-*.npy", "rows-*.npy", "manifest.json"):
        for file in folder.glob(pattern):
            file.write_bytes(file.read_bytes()[:-1] + b"!")
        with Library(demo_library.path) as library:
            assert library.similar(query) == expected


def test_an_open_index_follows_changes_by_others(demo_library: Library, tmp_path: Path) -> None:
    query = music() / "metal" / "obsidian-shell-fear.mp3"
    first = demo_library.similar(query, k=3).results[0]
    with Library(demo_library.path) as other:
        other.remove(first.path)
        assert first.path not in {track.path for track in demo_library.similar(query, k=45).results}
        other.undo()
        assert demo_library.similar(query, k=3).results[0] == first


def test_the_library_keeps_its_embedder(demo_library: Library, clips: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    demo_library.add(clips)
    assert "embedder" not in caplog.text
    assert demo_library.catalogue.database.get_setting("embedders") == "musicnn-msd-penultimate-h3.0@1"
    with pytest.raises(SpaceError, match="'vggish'"):
        demo_library.add(clips, embedders=["vggish"])


def test_results_do_not_depend_on_the_path_of_the_library(
    demo_library: Library, demo_folder: Path, tmp_path: Path
) -> None:
    with Library(shutil.copytree(demo_folder, tmp_path / "other")) as other:
        for method, arguments in ((Library.status, ()), (Library.evaluate, ()), (Library.classify, (unlabelled(),))):
            assert dataclasses.asdict(method(other, *arguments)) == dataclasses.asdict(method(demo_library, *arguments))


def test_opening_a_missing_library_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no library here"):
        Library(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()

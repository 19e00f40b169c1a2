"""Names of the previous version still work, with a FutureWarning."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from sonotheque import Library, results

PREVIOUS_NAMES = {
    "sonotheque.audio": "Decoder LogMel MonoStream Source load mel_filters open_decoder",
    "sonotheque.classify": """
        DECISIONS MODELS Budget Evaluation FileVectors Fitted Neighbours Recipe Recordings SavedClassifier TrainingSet answer
        evaluate fitting_classifier group_tracks grouped_folds hand_in judge learning_curve make_classifier make_learner train
        training_set vectors_of write_predictions write_template
    """,
    "sonotheque.documents": """
        Agreement ApartGenre Candidate Classified Cluster Compared ComparedRow Confusion CurvePoint Evaluated Exported Exports
        FailedFile FamilyImportance GenreFigures Inspected Labelled LabelledNeighbour Learned Mapped Moment NearDuplicates Place
        Prediction Promised Quality Remark Removed Similar SimilarTrack SpaceStatus Status Suspicious SuspiciousLabel Tag TagChange
        Tagged Trained WeakArea Window document
    """,
    "sonotheque.embed": """
        Choice Embedder Pooler Space TrackVectors choose embed_track embedder_names open_embedder pool space_of
    """,
    "sonotheque.explore": "Limits find_similar playlist",
    "sonotheque.index": "ExactIndex Neighbourhood nearest_of_all unit",
    "sonotheque.library": "Library default_path inspect_file",
    "sonotheque.report": "Findings collect write_report",
    "sonotheque.store": "Catalogue Heard Ingest LabelSource Listener Progress Track apply_labels label_source scan",
}
"""The public names of each package in the previous version."""


@pytest.mark.parametrize("package", PREVIOUS_NAMES)
def test_previous_names_still_work(package: str) -> None:
    module = importlib.import_module(package)
    for name in PREVIOUS_NAMES[package].split():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert getattr(module, name) is not None
        expected = [] if name in vars(module) else [FutureWarning]
        assert [warning.category for warning in caught] == expected, name
        assert all(str(warning.message).startswith(f"{package}.{name} is now sonotheque.") for warning in caught)


def test_previous_names_are_the_current_objects() -> None:
    from sonotheque.classify import write_submission
    from sonotheque.extract import scan_paths

    with pytest.warns(
        FutureWarning, match=r"sonotheque\.classify\.hand_in is now sonotheque\.classify\.write_submission"
    ):
        from sonotheque.classify import hand_in  # type: ignore[attr-defined]
    with pytest.warns(FutureWarning, match=r"sonotheque\.store\.scan is now sonotheque\.extract\.scan_paths"):
        from sonotheque.store import scan  # type: ignore[attr-defined]
    with pytest.warns(
        FutureWarning, match=r"sonotheque\.documents\.Similar is now sonotheque\.results\.SimilarityResult"
    ):
        from sonotheque.documents import Similar
    assert (hand_in, scan, Similar) == (write_submission, scan_paths, results.SimilarityResult)


def test_unknown_names_are_attribute_errors() -> None:
    for package in PREVIOUS_NAMES:
        with pytest.raises(AttributeError, match="no attribute 'unknown'"):
            importlib.import_module(package).unknown  # noqa: B018


def test_previous_parameters_still_work(demo_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(FutureWarning, match=r"parameter 'decision' of train\(\) is now 'aggregation'"):
        trained = demo_library.train(model="knn", decision="mean")  # type: ignore[call-arg]
    assert trained == demo_library.train(model="knn", aggregation="mean")
    with pytest.warns(FutureWarning, match=r"parameter 'decision' of evaluate\(\) is now 'aggregation'"):
        evaluated = demo_library.evaluate(model="knn", folds=2, decision="mean")  # type: ignore[call-arg]
    assert evaluated == demo_library.evaluate(model="knn", folds=2, aggregation="mean")
    with pytest.warns(FutureWarning, match=r"parameter 'most' of errors\(\) is now 'limit'"):
        issues = demo_library.errors(most=2)  # type: ignore[call-arg]
    assert len(issues.suspicious) == 2
    rebuilds = []

    def record_rebuild(*arguments: object, rebuild: bool, **options: object) -> SimpleNamespace:
        rebuilds.append(rebuild)
        return SimpleNamespace(summary=None)

    monkeypatch.setattr(Library, "_map_view", record_rebuild)
    with pytest.warns(FutureWarning, match=r"parameter 'anew' of map\(\) is now 'rebuild'"):
        demo_library.map(anew=True)  # type: ignore[call-arg]
    assert rebuilds == [True]


def test_previous_and_current_parameter_together_are_a_type_error(demo_library: Library) -> None:
    for method, arguments in (
        (demo_library.train, {"decision": "mean", "aggregation": "mean"}),
        (demo_library.evaluate, {"decision": "mean", "aggregation": "mean"}),
        (demo_library.errors, {"most": 2, "limit": 2}),
        (demo_library.map, {"anew": True, "rebuild": True}),
    ):
        with pytest.raises(TypeError, match="and its old name"):
            method(**arguments)


def test_apply_decisions_still_works(demo_library: Library, tmp_path: Path) -> None:
    demo_library.errors(csv=tmp_path / "issues.csv")
    with pytest.warns(FutureWarning, match=r"Library\.apply_decisions is now Library\.apply_corrections"):
        result = demo_library.apply_decisions(tmp_path / "issues.csv")
    assert result == demo_library.apply_corrections(tmp_path / "issues.csv")

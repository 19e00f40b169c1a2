"""Learning genres, naming them, and judging how well: a part of `sonotheque.Library`. Thin methods over `classify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sonotheque import documents as doc
from sonotheque.embed.registry import space_of
from sonotheque.embed.space import kind_of
from sonotheque.errors import LibraryError
from sonotheque.library.collection import Collection, PathLike
from sonotheque.store import Progress, scan

if TYPE_CHECKING:
    from sonotheque.classify import TrainingSet


class Genres(Collection):
    """What a library does with labels. For its parameters see `sonotheque.library.collection.Collection`."""

    @property
    def _classifier_path(self) -> Path:
        return self.path / "classifier.skops"

    def _training_set(
        self,
        embedders: Sequence[str] | None,
        *,
        model: str,
        augment: int = 0,
        segments: bool = True,
        copying: Progress | None = None,
    ) -> TrainingSet:
        from sonotheque.classify import training_set
        from sonotheque.classify.learners import spaces_of

        self._default_space()
        if embedders is None:
            spaces = spaces_of(model, [space.id for space in self.catalogue.spaces() if space.tracks])
        else:
            spaces = [space_of(name).id for name in embedders]
        if augment:
            from sonotheque.store.copies import make_copies

            labelled = [track for track in self.catalogue.tracks() if track.label]
            make_copies(self.catalogue, labelled, spaces=spaces, count=augment, compute=self._compute, progress=copying)
        return training_set(self.catalogue, spaces=spaces, copies=augment, segments=segments)

    def train(
        self,
        *,
        model: str = "auto",
        embedders: Sequence[str] | None = None,
        decision: str = "track",
        minutes: float | None = None,
        trials: int | None = None,
        augment: int = 0,
        seed: int = 0,
        progress: Progress | None = None,
        copying: Progress | None = None,
    ) -> doc.Trained:
        """Fit the classifier on all labelled tracks, and keep it with the library.

        Parameters
        ----------
        model : str
            ``knn``, ``logreg``, ``svm``, ``forest``, ``lightgbm``, ``xgboost``, ``mlp``; networks that learn from scratch, ``cnn``
            and ``head``, with the extra ``deep``; ``ensemble``: all of them on all spaces, mixed; ``auto``: the quick one that
            wins on grouped folds or, with `minutes` or `trials`, what a search finds.
        embedders : names of embedders, all of the library by default
        decision : str
            ``track``: on track vectors; ``mean``, ``vote``, ``product``, ``learned``: on segments, combined so.
        minutes : float or None
            Of wall time for the search of ``auto``, its evaluation and the final fit included.
        trials : int or None
            Of each search, instead of minutes: gives the same result each time.
        augment : int
            Augmented copies of each labelled track to learn from, at most 20; those that the library lacks are made. It needs
            the extra ``augment``.
        seed : int
            Of the folds.
        progress : callable
            Called with (seconds or trials done, in all) while a search runs, else with (fits done, in all).
        copying : callable
            Called with (copies done, copies to do) while augmented copies are made.

        Raises
        ------
        ClassifierError
            If there are fewer than two labels, or a name is unknown.
        """
        from sonotheque.classify import Budget, Recordings, SavedClassifier, train
        from sonotheque.classify.confidence import Familiar

        data = self._training_set(embedders, model=model, augment=augment, copying=copying)
        budget = Budget(minutes, trials)
        fitted, evidence, accuracies, evaluated = train(
            data, model=model, decision=decision, budget=budget, seed=seed, progress=progress
        )
        counts = dict(sorted(Counter(data.y.tolist()).items()))
        name = (
            "auto" if model == "auto" and budget else model if model == "ensemble" else fitted.members[0].recipe.model
        )
        learned = {space for member in fitted.members for space in member.recipe.spaces}
        spaces = [space for space in data.data.spaces if space in learned]  # pooled vectors first
        pooled = {space: data.data.tracks[space] for space in spaces if kind_of(space) in {"embedding", "descriptors"}}
        familiar = Familiar.of(Recordings(pooled), groups=data.groups) if pooled else None
        saved = SavedClassifier(
            name, fitted, spaces, list(counts), counts, self.catalogue.generation, evidence, familiar
        )
        saved.save(self._classifier_path)
        return doc.Trained(
            model=name,
            spaces=spaces,
            tracks=len(data.tracks),
            labels=counts,
            candidates=[doc.Candidate(recipe.model, round(share, 6)) for recipe, share in accuracies.items()],
            members=[
                doc.Learned(
                    model=member.recipe.model,
                    spaces=list(member.recipe.spaces),
                    decision=member.recipe.decision,
                    copies=member.recipe.copies,
                    share=round(share, 6),
                )
                for member, share in zip(fitted.members, fitted.shares, strict=True)
            ],
            evaluated=evaluated,
        )

    def classify(
        self,
        *paths: PathLike,
        timeline: bool = False,
        abstain: float | None = None,
        progress: Progress | None = None,
    ) -> doc.Classified:
        """Name the genre of files. Nothing is added; vectors of files that the library knows are reused.

        Parameters
        ----------
        *paths : folders and files
        timeline : bool
            Name the genre of each 10 s too.
        abstain : float or None
            Accuracy that the answers given are to have, such as 0.9: those below the threshold that promises it are marked.
        progress : callable
            Called with (files done, files to do) where files must be embedded.

        Raises
        ------
        ClassifierError
            If there is no classifier, or it does not fit.
        MissingFileError
            If a path does not exist.
        """
        from sonotheque.classify import answer, fitting_classifier, vectors_of

        saved = fitting_classifier(self._classifier_path, catalogue=self.catalogue)
        found = [file.path for file in scan(paths)]
        if not found:
            raise LibraryError(f"{', '.join(map(str, paths))}: no audio file there; nothing to classify")
        files = vectors_of(
            found,
            catalogue=self.catalogue,
            spaces=saved.spaces,
            segments=timeline or saved.fitted.needs_segments,
            compute=self._compute,
            progress=progress,
        )
        index = self._index(saved.spaces[0])
        return answer(
            files, classifier=saved, catalogue=self.catalogue, index=index, timeline=timeline, abstain=abstain
        )

    def evaluate(
        self,
        *,
        model: str = "auto",
        folds: int | None = None,
        split: PathLike | None = None,
        repeats: int = 1,
        embedders: Sequence[str] | None = None,
        decision: str = "track",
        learning_curve: bool = False,
        minutes: float | None = None,
        trials: int | None = None,
        augment: int = 0,
        seed: int = 0,
        report: PathLike | None = None,
        lang: str = "en",
        compared: doc.Compared | None = None,
        progress: Progress | None = None,
        copying: Progress | None = None,
    ) -> doc.Evaluated:
        """Judge a model on the labelled tracks, in stratified folds in which no artist stands on both sides.

        Parameters
        ----------
        model : str
            See `train`. What ``auto`` and ``ensemble`` choose they choose inside each fold anew.
        folds : int or None
            By default the largest number up to 5 at which the genres with that many artists hold 3/4 of the tracks.
        split : path of a CSV or None
            Instead of folds: which files teach and which are tested, see `sonotheque.classify.split.read_split`.
        repeats : int
            Times that the folds are drawn anew.
        learning_curve : bool
            Judge with fewer training artists too.
        embedders, decision, minutes, trials, augment, seed : see `train`
            Augmented copies teach in the folds in which their track does, and are never tested.
        report : path of a folder or None
            Write ``report.html`` and its pictures there.
        lang : str
            Of the report: ``en`` or ``fr``.
        compared : Compared or None
            What `compare` returned, for the report's table of models.
        progress, copying : callable

        Raises
        ------
        ClassifierError
            If fewer than two genres have enough artists.
        LabelsError
            If the split is unusable.
        """
        from sonotheque.classify import Budget, judge
        from sonotheque.classify.split import read_split

        data = self._training_set(embedders, model=model, augment=augment, copying=copying)
        given = read_split(Path(split), tracks=data.tracks) if split is not None else None
        if report is not None:
            from sonotheque.classify.training import learner_of
            from sonotheque.report import collect, write_report
            from sonotheque.report.importance.collected import musicnn_vectors

            budget = Budget(minutes, trials)
            learner, watch = learner_of(
                data,
                model=model,
                decision=decision,
                folds=given or folds,
                repeats=repeats,
                budget=budget,
                progress=progress,
            )
            failed = [doc.FailedFile(path, reason) for path, (_, reason) in self.catalogue.failed().items()]
            findings = collect(
                data,
                learner,
                model=model,
                folds=given or folds,
                repeats=repeats,
                curve=not budget and given is None,
                compared=compared,
                heard=musicnn_vectors(self.catalogue, data.tracks),
                failed=failed,
                seed=seed,
                progress=watch,
            )
            write_report(findings, report, lang=lang)
            return findings.evaluated
        return judge(
            data,
            model=model,
            decision=decision,
            folds=given or folds,
            repeats=repeats,
            curve=learning_curve,
            budget=Budget(minutes, trials),
            seed=seed,
            progress=progress,
        )

    def compare(
        self,
        *,
        models: Sequence[str] | None = None,
        embedders: Sequence[str] | None = None,
        folds: int | None = None,
        augment: int = 0,
        seed: int = 0,
        progress: Progress | None = None,
        copying: Progress | None = None,
    ) -> doc.Compared:
        """Judge all models on each space and on all together, on tracks and on segments, and ensembles, on the same folds.

        Parameters
        ----------
        models : names of models, all by default
        embedders, folds, seed : see `evaluate`
        augment : int
            Augmented copies of each track; models that decide on tracks are judged with and without them.
        progress : callable
            Called with (fits done, fits to do).
        copying : see `train`

        Raises
        ------
        ClassifierError
            If fewer than two genres have enough artists.
        """
        from sonotheque.classify.comparison import all_recipes, compare
        from sonotheque.classify.labelled import warn_of_alone
        from sonotheque.classify.learners import usable_models

        data = self._training_set(embedders, model="ensemble", augment=augment, copying=copying)
        warn_of_alone(data)
        recipes = all_recipes(data.data.spaces, models=models or usable_models(), segments=True, copies=augment > 0)
        return compare(
            data.data, data.y, groups=data.groups, recipes=recipes, folds=folds, seed=seed, progress=progress
        )

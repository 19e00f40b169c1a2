"""What a report says, in plain sentences: which of them the evidence supports, filled in with its numbers.

Thresholds that turn a number into a word stand at the top. No sentence is HTML: the page escapes them all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sonotheque import results
from sonotheque.classify.models.aggregation import AGGREGATIONS
from sonotheque.embed.space import kind_of, short_name
from sonotheque.report.evidence import Evidence, Genre
from sonotheque.report.findings import Findings
from sonotheque.report.importance.text import on_reasons
from sonotheque.report.wording import Words

FEW_ARTISTS = 10
"""Below this many artists a genre that is hard is called thin."""

HARD = 0.05
"""How far below macro F1 a genre is called hard."""

MERGE = 0.2
"""Share of all errors from which two genres are proposed to be merged."""

GAIN = 0.02
"""Gain of the last step of the learning curve from which it is called rising."""

GAP = 0.05
"""Between promised and kept share, from which probabilities are called too high or too low; also between accuracies."""

Sections = dict[str, list[str]]


def explain(findings: Findings, evidence: Evidence, *, lang: str) -> Sections:
    """Say what the findings mean.

    Parameters
    ----------
    findings : Findings
    evidence : Evidence
        Of these findings.
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    dict of section to sentences
        In the order of the page; a section without findings is missing. ``steps`` are one step each.
    """
    speaker = _Speaker(findings, evidence, Words(lang))
    sections: dict[str, Iterable[str]] = {
        "summary": speaker.summary(),
        "data": speaker.data(),
        "protocol": speaker.protocol(),
        "result": speaker.result(),
        "genres": speaker.genres(),
        "ranking": speaker.ranking(),
        "confusion": speaker.confusion(),
        "confidence": speaker.confidence(),
        "errors": speaker.errors(),
        "models": speaker.models(),
        "decisions": speaker.decisions(),
        **on_reasons(findings.importance, speaker.words, model=findings.evaluated.model),
        "learning": speaker.learning(),
        "steps": speaker.steps(),
    }
    return {name: list(sentences) for name, sentences in sections.items()}


def model_name(row: results.ComparisonRow, words: Words) -> str:
    """Name a row of the comparison in one line."""
    if row.decision not in AGGREGATIONS:
        return words.model(row.model)
    spaces = " + ".join(map(short_name, row.spaces))
    decision = "" if row.decision == "track" else f", {words.say(f'decision {row.decision}')}"
    copies = f", {words.say('with copies')}" if row.copies else ""
    return f"{row.model} · {spaces}{decision}{copies}"


class _Speaker:
    """One method for each section; each yields the sentences that hold."""

    def __init__(self, findings: Findings, evidence: Evidence, words: Words) -> None:
        self.findings, self.evidence, self.words = findings, evidence, words
        self.evaluated = findings.evaluated
        self.ranked = sorted(evidence.genres, key=lambda genre: (-genre.f1.value, genre.label))

    def summary(self) -> Iterator[str]:
        evidence, words = self.evidence, self.words
        low, high = self.evaluated.accuracy_interval
        if not evidence.errors:
            yield words.say(
                "summary perfect",
                model=self.evaluated.model,
                answers=words.count(evidence.answers, "answer") if words.lang == "en" else evidence.answers,
                artists=words.count(evidence.tested, "artist"),
                bound=words.percent(1 - 0.05 ** (1 / evidence.tested)),
            )
            return
        yield words.say(
            "summary good",
            model=self.evaluated.model,
            right=evidence.right,
            answers=words.count(evidence.answers, "answer") if words.lang == "en" else evidence.answers,
            accuracy=words.percent(self.evaluated.accuracy),
            low=words.percent(low),
            high=words.percent(high),
        )
        above = "summary above" if low > evidence.majority else "summary below"
        yield words.say(above, majority=words.percent(evidence.majority))
        if high - low > 0.15:
            yield words.say("summary wide", artists=words.count(evidence.artists, "artist"))
        best, worst = self.ranked[0], self.ranked[-1]
        figures = {"best_f1": words.number(best.f1.value, digits=2), "worst_f1": words.number(worst.f1.value, digits=2)}
        yield words.say("summary ends", best=best.label, worst=worst.label, **figures)

    def data(self) -> Iterator[str]:
        words = self.words
        counts = Counter(str(track.label) for track in self.findings.tracks)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        (most, largest), (least, smallest) = ordered[0], ordered[-1]
        yield words.say(
            "data what",
            tracks=words.count(len(self.findings.tracks), "track"),
            artists=words.count(self.evidence.artists, "artist"),
            genres=words.count(len(counts), "genre"),
            most=most,
            most_tracks=largest,
            least=least,
            least_tracks=smallest,
        )
        if largest >= 2 * smallest:
            yield words.say("data unequal")
        if self.findings.alone:
            yield words.say("data alone", tracks=words.count(self.findings.alone, "track"))
        for genre in self.evaluated.apart:
            yield words.say(
                "data untested" if self._given else "data apart",
                label=genre.label,
                tracks=words.count(genre.tracks, "track"),
                artists=words.count(genre.artists, "artist"),
                folds=words.count(self.evaluated.folds, "fold"),
            )
        failed = len(self.findings.failed)
        yield words.say("data failed", files=words.count(failed, "file")) if failed else words.say("data sound")

    @property
    def _given(self) -> bool:
        return self.evaluated.protocol == "the given split"

    def protocol(self) -> Iterator[str]:
        words = self.words
        if self._given:
            yield words.say("protocol given")
        else:
            yield words.say("protocol folds", folds=words.count(self.evaluated.folds, "fold"))
            if self.evidence.repeats > 1:
                times = words.count(self.evidence.repeats, "time")
                yield words.say("protocol repeats", times=times, answers=self.evidence.answers)
            known = self.findings.alone < len(self.findings.tracks)
            yield words.say("protocol artists" if known else "protocol strangers")
        yield words.say("protocol intervals")
        for space in self.evaluated.spaces:
            kind = "frames" if kind_of(space) == "frames" else space.partition("-")[0]
            yield words.say_either(f"space {kind}", "space other", space=space)
        model = self.evaluated.model
        yield words.say_either(f"model {model}", "model other", model=model)
        if self.evaluated.chosen:
            yield words.say("protocol chosen", chosen=words.listed(list(dict.fromkeys(self.evaluated.chosen))))

    def result(self) -> Iterator[str]:
        words, evaluated = self.words, self.evaluated
        low, high = evaluated.balanced_accuracy_interval
        shares = {"low": words.percent(low), "high": words.percent(high)}
        if self.evidence.errors:
            yield words.say("result balanced", balanced=words.percent(evaluated.balanced_accuracy), **shares)
        gap = evaluated.accuracy - evaluated.balanced_accuracy
        if gap > GAP:
            yield words.say("result unequal", gap=words.number(100 * gap, digits=0))
        even = math.log(len(evaluated.labels))
        better = "result loss better" if evaluated.log_loss < even else "result loss worse"
        yield words.say(better, loss=words.number(evaluated.log_loss, digits=2), even=words.number(even, digits=2))

    def hard(self) -> list[Genre]:
        """Genres far below the mean, the hardest first; three at most."""
        return [genre for genre in self.ranked[::-1] if genre.f1.value < self.evaluated.macro_f1 - HARD][:3]

    def genres(self) -> Iterator[str]:
        words = self.words
        hard = self.hard()
        for genre in hard:
            yield " ".join(self._why(genre))
        if not hard:
            yield words.say("genres even")
        best, worst = self.ranked[0].f1.interval, self.ranked[-1].f1.interval
        if self.evidence.errors and best and worst and best[0] <= worst[1]:
            yield words.say("genres overlap")

    def _why(self, genre: Genre) -> Iterator[str]:
        words = self.words
        answers = sum(self.evaluated.confusion[self.evaluated.labels.index(genre.label)])
        errors = words.count(genre.errors, "error")
        yield words.say(
            "genre hard",
            label=genre.label,
            right=answers - genre.errors,
            answers=words.count(answers, "answer"),
            recall=words.percent(genre.recall.value),
            precision=words.percent(genre.precision.value),
        )
        if genre.artists < FEW_ARTISTS:
            yield words.say("genre few", artists=words.count(genre.artists, "artist"))
        if genre.taken_for and 5 * genre.taken_for[0][1] >= 2 * genre.errors:
            other, count = genre.taken_for[0]
            yield words.say("genre confused", other=other, count=count, errors=errors)
        if genre.errors >= 3 and 5 * genre.worst >= 2 * genre.errors:
            yield words.say("genre one", count=genre.worst, errors=errors)
        elif genre.always and genre.never:
            artists = words.count(genre.artists, "artist")
            yield words.say("genre spread", always=genre.always, never=genre.never, artists=artists)
        code = self.evaluated.labels.index(genre.label)
        called = sum(row[code] for row in self.evaluated.confusion)
        wrong = called - (answers - genre.errors)
        if called and 2 * wrong > called:
            yield words.say("genre swallows", label=genre.label, wrong=wrong, called=called)
        auc = words.number(genre.auc, digits=2)
        if genre.auc >= 0.8 and genre.recall.value < 0.5:
            yield words.say("genre ranked", auc=auc)
        elif genre.auc < 0.7:
            yield words.say("genre unheard", auc=auc)

    def ranking(self) -> Iterator[str]:
        words = self.words
        ordered = sorted(self.evidence.genres, key=lambda genre: (-genre.auc, genre.label))
        best, worst = ordered[0], ordered[-1]
        yield words.say(
            "ranking ends",
            auc=words.number(self.evaluated.auc, digits=2),
            best=best.label,
            best_auc=words.number(best.auc, digits=2),
            worst=worst.label,
            worst_auc=words.number(worst.auc, digits=2),
        )

    def confusion(self) -> Iterator[str]:
        words = self.words
        if not self.evidence.pairs:
            yield words.say("confusion none")
        for number, pair in enumerate(self.evidence.pairs[:2]):
            yield words.say(
                "confusion next" if number else "confusion top",
                first=pair.first,
                second=pair.second,
                errors=words.count(pair.errors, "error"),
                share=words.percent(pair.share),
            )

    def confidence(self) -> Iterator[str]:
        words, evidence = self.words, self.evidence
        gap = evidence.confidence - self.evaluated.accuracy
        kind = "over" if gap > GAP else "under" if gap < -GAP else "fair"
        yield words.say(
            f"confidence {kind}",
            confidence=words.percent(evidence.confidence),
            accuracy=words.percent(self.evaluated.accuracy),
            ece=words.number(evidence.calibration_error),
        )
        low, high = evidence.calibration_range
        kept = "confidence calibrated" if evidence.calibration_error <= high else "confidence uncalibrated"
        yield words.say(kept, low=words.number(low), high=words.number(high))
        half = evidence.covered[4][1]
        if half.interval and evidence.errors:
            yield words.say(
                "coverage half",
                half=words.percent(half.value),
                low=words.percent(half.interval[0]),
                high=words.percent(half.interval[1]),
                accuracy=words.percent(self.evaluated.accuracy),
            )

    def errors(self) -> Iterator[str]:
        words = self.words
        if not self.findings.mistakes:
            yield words.say("confusion none")
            return
        yield words.say("errors what", errors=words.count(self.evidence.errors, "error"), space=self.findings.space)
        if self.evidence.doubtful:
            yield words.say("errors doubtful", tracks=words.count(len(self.evidence.doubtful), "track"))

    def models(self) -> Iterator[str]:
        compared, words = self.findings.compared, self.words
        if compared is None:
            return
        best = max((row for row in compared.rows if row.decision), key=lambda row: row.accuracy)
        yield words.say(
            "models best",
            count=len(compared.rows),
            best=model_name(best, words),
            accuracy=words.percent(best.accuracy, digits=1),
            worse=sum(row.difference_interval[1] < 0 for row in compared.rows),
            better=sum(row.difference_interval[0] > 0 for row in compared.rows),
        )
        honest = [row for row in compared.rows if row.model == "best by inner folds"]
        if honest:
            yield words.say("models flatter", accuracy=words.percent(honest[0].accuracy, digits=1))

    def decisions(self) -> Iterator[str]:
        decisions, difference, words = self.findings.decisions, self.evidence.difference, self.words
        if decisions is None or difference is None:
            return
        shares = {"whole": decisions.whole.accuracy, "parts": decisions.parts.accuracy}
        percents = {name: words.percent(share, digits=1) for name, share in shares.items()}
        yield words.say("decisions what", model=decisions.model, **percents)
        value, (low, high) = difference
        if low == value == high:
            yield words.say("decisions equal")
            return
        kind = "local" if low > 0 else "global" if high < 0 else "same"
        bounds = words.interval((100 * low, 100 * high), digits=1, sign=True)
        shown = words.points(value) if kind == "same" else words.number(100 * abs(value), digits=1)
        yield words.say(f"decisions {kind}", points=shown, interval=bounds)

    def learning(self) -> Iterator[str]:
        points, words = self.evaluated.learning_curve, self.words
        if len(points) < 2:
            return
        if not self.evidence.errors:
            yield words.say("learning done")
            return
        before, last = points[-2], points[-1]
        yield words.say(
            "learning rising" if self._rises else "learning flat",
            fewer=round(before.tracks),
            more=round(last.tracks),
            points=words.number(100 * (last.accuracy - before.accuracy), digits=1, sign=not self._rises),
        )
        low, high = last.accuracy_interval
        yield words.say("learning unsure", half=round(50 * (high - low)))

    @property
    def _rises(self) -> bool:
        points: Sequence[results.LearningCurvePoint] = self.evaluated.learning_curve
        return len(points) > 1 and self.evidence.errors > 0 and points[-1].accuracy - points[-2].accuracy >= GAIN

    def steps(self) -> Iterator[str]:
        """Yield proposals; what makes the figures trustworthy comes before what makes them better."""
        steps = [*self._to_trust(), *self._to_improve()]
        yield from steps or [self.words.say("step none")]

    def _to_trust(self) -> Iterator[str]:
        words = self.words
        if self.findings.alone:
            yield words.say("step unknown", tracks=words.count(self.findings.alone, "track"))
        if self.findings.failed:
            yield words.say("step failed", files=words.count(len(self.findings.failed), "file"))
        for genre in self.evaluated.apart:
            missing = self.evaluated.folds - genre.artists
            if missing > 0 and not self._given:
                yield words.say("step apart", artists=words.count(missing, "artist"), label=genre.label)

    def _to_improve(self) -> Iterator[str]:
        words, evidence = self.words, self.evidence
        doubtful = [
            words.say(
                "step relabel one",
                title=mistake.track.title or mistake.track.path.rpartition("/")[2],
                label=mistake.track.label,
                answer=mistake.answer,
            )
            for mistake in evidence.doubtful[:5]
        ]
        if doubtful:
            yield words.say("step relabel", tracks=words.listed(doubtful))
        for genre in self.hard():
            if genre.artists < FEW_ARTISTS:
                artists, recall = words.count(genre.artists, "artist"), words.percent(genre.recall.value)
                yield words.say("step artists", label=genre.label, artists=artists, recall=recall)
        if len(evidence.genres) > 2 and evidence.pairs and evidence.pairs[0].share >= MERGE:
            pair = evidence.pairs[0]
            shares = {"share": pair.share, "merged": pair.merged, "accuracy": self.evaluated.accuracy}
            percents = {name: words.percent(share) for name, share in shares.items()}
            yield words.say("step merge", first=pair.first, second=pair.second, **percents)
        if self._rises:
            yield words.say("step more")
        better = [row for row in getattr(self.findings.compared, "rows", ()) if row.difference_interval[0] > 0]
        if better:
            row = max(better, key=lambda row: row.difference)
            yield words.say("step model", model=model_name(row, words), points=words.points(row.difference))
        half = evidence.covered[4][1]
        if half.interval and half.interval[0] > self.evaluated.accuracy:
            accuracy = words.percent(self.evaluated.accuracy)
            yield words.say("step abstain", half=words.percent(half.value), accuracy=accuracy)

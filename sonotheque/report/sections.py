"""The sections of the page as HTML: sentences, tables and the places of the figures, in reading order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from sonotheque.report.drawing import Figure
from sonotheque.report.evidence import Evidence
from sonotheque.report.findings import Findings, Mistake
from sonotheque.report.importance.tables import loss_table, tag_table, tree_table
from sonotheque.report.markup import Html, join, table, tag
from sonotheque.report.text import model_name
from sonotheque.report.wording import Words
from sonotheque.store.records import Track

SHOWN = 60
"""Failed files, and confident errors, that are listed."""


def name_of(track: Track) -> str:
    """Return the title of a track, else the name of its file."""
    return track.title or os.path.splitext(os.path.basename(track.path))[0]


class Sections:
    """Puts the page together.

    Parameters
    ----------
    findings, evidence
    figures : sequence of Figure
    text : mapping of section to sentences
        See `sonotheque.report.text.explain`.
    words : Words
    """

    def __init__(
        self,
        findings: Findings,
        evidence: Evidence,
        figures: Sequence[Figure],
        text: Mapping[str, Sequence[str]],
        words: Words,
    ) -> None:
        self.findings, self.evidence, self.text, self.words = findings, evidence, text, words
        self.figures = {figure.key: figure for figure in figures}
        self.numbers = {track.hash: number for number, track in enumerate(findings.tracks)}

    def page(self) -> Iterator[Html]:
        """Yield what stands in the page's body."""
        parts = {
            "summary": [self._cards()],
            "steps": [],
            "data": [self._figure("classes"), self._failed()],
            "protocol": [],
            "result": [self._measures()],
            "genres": [self._figure("genres"), self._genres()],
            "ranking": [self._figure("roc"), self._figure("precision_recall")],
            "confusion": [*self._confusion()],
            "confidence": [self._figure("calibration"), self._figure("coverage")],
            "errors": [self._errors()],
            "models": [self._figure("models"), self._models()],
            "decisions": [self._figure("decisions")],
            **self._reasons(),
            "learning": [self._figure("learning")],
        }
        held = {name: things for name, things in parts.items() if self.text.get(name)}
        yield tag("a", self.words.say("skip"), class_="skip", href="#report")
        yield self._header([*held, "words"])
        body = [self._section(name, things) for name, things in held.items()]
        yield tag("main", *body, self._glossary(), id="report")
        yield tag("footer", f"sonotheque · {self.findings.evaluated.protocol}")

    def _header(self, names: Sequence[str]) -> Html:
        words = self.words
        genres = len({track.label for track in self.findings.tracks})
        tracks = words.count(len(self.findings.tracks), "track")
        subtitle = words.say("subtitle", tracks=tracks, genres=words.count(genres, "genre"))
        links = [tag("li", tag("a", words.say(f"section {name}"), href=f"#{name}")) for name in names]
        nav = tag("nav", tag("ul", *links), aria_label=words.say("contents"))
        return tag("header", tag("h1", words.say("title")), tag("p", subtitle, class_="subtitle"), nav, class_="top")

    def _section(self, name: str, things: Sequence[Html]) -> Html:
        sentences = self.text[name]
        said: Sequence[Html]
        if name == "steps":
            said = [tag("ol", *(tag("li", step) for step in sentences), class_="steps")]
        else:
            said = [
                tag("p", one, class_="lead" if name == "summary" and not n else None) for n, one in enumerate(sentences)
            ]
        title = tag("h2", self.words.say(f"section {name}"), id=f"{name}-title")
        return tag("section", title, *said, *things, id=name, aria_labelledby=f"{name}-title")

    def _figure(self, key: str) -> Html:
        figure = self.figures.get(key)
        if figure is None:
            return Html("")
        words = self.words
        compared = self.findings.compared
        counts = {"shown": len(figure.data[-1].get("y", ())), "count": len(compared.rows) if compared else 0}
        picture = tag("noscript", tag("img", src=f"{key}.png", alt=figure.alt))
        plot = tag("div", picture, id=f"plot-{key}", class_="plot", role="img", aria_label=figure.alt)
        link = tag("a", words.say("picture"), href=f"{key}.png", class_="picture")
        caption = tag("figcaption", words.say(f"read {key}", **counts), " ", link)
        return tag("figure", tag("h3", figure.title), plot, caption, id=f"figure-{key}")

    def _cards(self) -> Html:
        words, evaluated = self.words, self.findings.evaluated
        figures = [
            ("accuracy", words.percent(evaluated.accuracy, digits=1), evaluated.accuracy_interval),
            ("balanced", words.percent(evaluated.balanced_accuracy, digits=1), evaluated.balanced_accuracy_interval),
            ("macro_f1", words.number(evaluated.macro_f1, digits=2), evaluated.macro_f1_interval),
            ("auc", words.number(evaluated.auc, digits=2), self.evidence.auc.interval),
        ]
        cards = []
        for key, value, interval in figures:
            between = words.interval(interval, digits=2) if interval else words.say("mean of genres")
            name = tag("dt", words.say(f"measure {key}"))
            cards.append(tag("div", name, tag("dd", value, tag("small", between))))
        return tag("dl", *cards, class_="cards")

    def _measures(self) -> Html:
        words, evaluated = self.words, self.findings.evaluated
        loss = self.evidence.log_loss
        figures = [
            ("accuracy", evaluated.accuracy, evaluated.accuracy_interval),
            ("balanced", evaluated.balanced_accuracy, evaluated.balanced_accuracy_interval),
            ("macro_f1", evaluated.macro_f1, evaluated.macro_f1_interval),
            ("log_loss", loss.value, loss.interval),
            ("auc", evaluated.auc, self.evidence.auc.interval),
        ]
        rows = [
            [words.say(f"measure {key}"), words.number(value), words.interval(around)] for key, value, around in figures
        ]
        kept = words.say("range calibrated", range=words.interval(self.evidence.calibration_range))
        rows.append([words.say("measure ece"), words.number(self.evidence.calibration_error), kept])
        return table([words.say(f"column {name}") for name in ("measure", "value", "interval")], rows, numbers=(1, 2))

    def _genres(self) -> Html:
        words = self.words
        names = ("genre", "tracks", "artists", "precision", "recall", "f1", "auc", "ap")
        rows: list[list[str]] = []
        for genre in self.evidence.genres:
            figures = [
                join([words.number(m.value, digits=2), tag("small", words.interval(m.interval, digits=2))])
                for m in (genre.precision, genre.recall, genre.f1)
            ]
            between = tag("small", words.interval(genre.auc_interval, digits=2))
            figures.append(join([words.number(genre.auc, digits=2), between]))
            precision = words.number(genre.average_precision, digits=2)
            rows.append([genre.label, str(genre.tracks), str(genre.artists), *figures, precision])
        return table([words.say(f"column {name}") for name in names], rows, numbers=range(1, 8))

    def _failed(self) -> Html:
        words, failed = self.words, self.findings.failed
        if not failed:
            return Html("")
        rows = [[os.path.basename(failure.path), failure.reason] for failure in failed[:SHOWN]]
        more = [tag("p", f"… +{len(failed) - SHOWN}", class_="quiet")] if len(failed) > SHOWN else []
        return join([table([words.say("column file"), words.say("column reason")], rows), *more])

    def _confusion(self) -> Iterator[Html]:
        words, labels = self.words, self.findings.evaluation.labels
        matrix = self.findings.evaluation.confusion
        yield self._figure("confusion")
        corner = tag("th", f"{words.say('axis reference')} \\ {words.say('axis predicted')}", scope="col")
        head = tag("tr", corner, *(tag("th", label, scope="col", class_="number") for label in labels))
        body = []
        for row, genre in enumerate(self.evidence.genres):
            code = labels.index(genre.label)
            cells = []
            for column, predicted in enumerate(labels):
                count = int(matrix[code, column])
                says = {"reference": genre.label, "predicted": predicted, "count": count}
                button = tag(
                    "button",
                    str(count),
                    type="button",
                    data_cell=f"{row}-{column}",
                    aria_pressed="false",
                    aria_label=words.say("script right" if code == column else "script cell", **says),
                    disabled=None if count else True,
                )
                cells.append(tag("td", button, class_="right" if code == column else None))
            body.append(tag("tr", tag("th", genre.label, scope="row"), *cells))
        whole = tag("table", tag("thead", head), tag("tbody", *body), class_="cells")
        yield tag(
            "details",
            tag("summary", words.say("as table")),
            tag("div", whole, class_="scroll"),
            open=True,
        )
        yield tag("div", id="cell-tracks", class_="panel", role="region", aria_live="polite", hidden=True)
        yield self._figure("confusion_rates")

    def _errors(self) -> Html:
        words = self.words
        if not self.findings.mistakes:
            return Html("")
        names = ("track", "label", "answer", "near")
        titles = [words.say(f"column {name}") for name in names]
        head = tag("tr", *(tag("th", title, scope="col") for title in titles))
        body = [self._error(mistake, titles) for mistake in self.findings.mistakes[:SHOWN]]
        return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_="errors"), class_="scroll")

    def _error(self, mistake: Mistake, titles: Sequence[str]) -> Html:
        words, track = self.words, mistake.track
        doubt = " ◆" if mistake in self.evidence.doubtful else ""
        near = [
            tag("small", f"{one.track.label} · {words.number(one.similarity, digits=2)} · {name_of(one.track)}")
            for one in mistake.near[:3]
        ]
        artist = tag("small", track.artist or words.say("script unknown"))
        answer = f"{mistake.answer} {words.percent(mistake.probability)}"
        number = self.numbers[track.hash]
        return tag(
            "tr",
            tag("th", name_of(track), doubt, artist, tag("span", data_track=number), scope="row"),
            tag("td", str(track.label), data_name=titles[1]),
            tag("td", answer, data_name=titles[2]),
            tag("td", *near, data_name=titles[3]),
        )

    def _reasons(self) -> dict[str, list[Html]]:
        importance, words = self.findings.importance, self.words
        if importance is None:
            return {}
        labels, genres = self.findings.evaluation.labels, [genre.label for genre in self.evidence.genres]
        trees = [self._figure("trees"), self._figure("columns"), tree_table(importance, labels, genres, words)]
        return {
            "importance": [self._figure("permutation"), loss_table(importance, words)],
            "trees": trees,
            "tags": [tag_table(importance, words)],
        }

    def _models(self) -> Html:
        words, compared = self.words, self.findings.compared
        if compared is None:
            return Html("")
        names = ("accuracy", "balanced", "loss", "auc", "difference")
        titles = [
            words.say(f"measure {name}" if name in {"accuracy", "balanced"} else f"column {name}") for name in names
        ]
        rows: list[list[str]] = []
        for row in sorted(compared.rows, key=lambda row: -row.accuracy):
            low, high = row.difference_interval
            between = words.interval((100 * low, 100 * high), digits=1, sign=True)
            rows.append(
                [
                    model_name(row, words),
                    join([words.number(row.accuracy), tag("small", words.interval(row.accuracy_interval))]),
                    words.number(row.balanced_accuracy),
                    words.number(row.log_loss, digits=2),
                    words.number(row.auc),
                    join([words.points(row.difference), tag("small", between)]),
                ]
            )
        return table([words.say("column model"), *titles], rows, numbers=range(1, 6), kind="models")

    def _glossary(self) -> Html:
        words = self.words
        kept = [tag("li", words.say(f"word {name}")) for name in ("accuracy", "balanced", "f1", "loss", "ece")]
        title = tag("h2", words.say("section words"), id="words-title")
        return tag("section", title, tag("ul", *kept), id="words", aria_labelledby="words-title")

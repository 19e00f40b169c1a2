"""Parse a query: find the meanings of its words, tempi and keys, what is negated, and what may be a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sonotheque.embed.tempo_key.key import KEYS, parse_key
from sonotheque.explore.search.vocabulary import WORD, Meaning, Vocabulary, split_words
from sonotheque.store.search_names import search_key

TEMPO_TOLERANCE = 0.04
"""A tempo is as asked for within 4%, the tolerance of the evaluation of tempi in MIREX."""

_BPM = r"(\d{2,3}(?:\.\d+)?)"
_UNIT = r"\s*-?(?:bpm|beats per minute)\b"
TEMPO_PATTERNS = {
    "range": re.compile(rf"(?:between |from )?{_BPM}(?:{_UNIT})?\s*(?:-|to|and|until)\s*{_BPM}{_UNIT}"),
    "below": re.compile(rf"(?:under|below|less than|slower than|at most|up to|maximum|max|<=?)\s*{_BPM}{_UNIT}"),
    "above": re.compile(rf"(?:over|above|more than|faster than|at least|minimum|min|>=?)\s*{_BPM}{_UNIT}"),
    "exact": re.compile(rf"(?:around |about |circa |ca\.? |~)?{_BPM}{_UNIT}"),
    "exact after": re.compile(rf"bpm\s*[:=]?\s*{_BPM}\b"),
}
KEY_PATTERN = re.compile(
    r"(?:in )?(?:the )?(?:key of )?([a-g])(?:(#|♯|b|♭)|[ -](sharp|flat))?[ -]?(major|minor|maj|min)\b(?! key\b)"
)
MODE_PATTERN = re.compile(r"(?:in )?(?:a )?(major|minor) (?:key|mode)s?\b|in (major|minor)\b")
QUOTED_PATTERN = re.compile(r'"([^"]+)"')
MINUS_PATTERN = re.compile(r"(?<!\S)-(?=[\w\"])")
BREAK_PATTERN = re.compile(r"[,;.:!?()/]")


@dataclass(frozen=True)
class Term:
    """Words of a query that belong together, and what they mean.

    Attributes
    ----------
    words : str
        As in the query, without case and accents.
    negated : bool
        Whether tracks should not have it.
    meaning : Meaning or None
        From the vocabulary.
    tempo : (low, high) or None
        Limits in BPM; 0 and infinity for none.
    keys : frozenset of int or None
        Numbers of keys in `sonotheque.embed.tempo_key.key.KEYS`.
    quoted : bool
        Whether the words are one phrase, to be found in names only.

    Notes
    -----
    A term without meaning, tempo and keys can only be (part of) a name.
    """

    words: str
    negated: bool = False
    meaning: Meaning | None = None
    tempo: tuple[float, float] | None = None
    keys: frozenset[int] | None = None
    quoted: bool = False

    @property
    def is_name(self) -> bool:
        """Whether the words can only be part of a name."""
        return self.meaning is None and self.tempo is None and self.keys is None

    def describe(self) -> str:
        """Describe what the words mean; without a leading ``not`` if they are negated."""
        if self.meaning is not None:
            return self.meaning.describe()
        if self.tempo is not None:
            low, high = self.tempo
            if low <= 0:
                return f"tempo up to {high:g} BPM"
            return f"tempo from {low:g} BPM" if high == float("inf") else f"tempo from {low:g} to {high:g} BPM"
        if self.keys is not None:
            names = [KEYS[number] for number in sorted(self.keys)]
            return f"key {names[0]}" if len(names) == 1 else f"a {names[0].split()[1]} key"
        return "titles, artists, albums and file names"


@dataclass(frozen=True)
class WordQuery:
    """A parsed query.

    Attributes
    ----------
    text : str
        As it was given.
    terms : sequence of Term
        In the order of the query.
    ignored : sequence of str
        Words without a meaning of their own.
    """

    text: str
    terms: Sequence[Term] = field(default_factory=tuple)
    ignored: Sequence[str] = field(default_factory=tuple)


@dataclass
class _Token:
    """A word, a term that a pattern has found, or a break between parts of a sentence."""

    word: str
    term: Term | None = None
    is_break: bool = False


def parse_query(text: str, vocabulary: Vocabulary) -> WordQuery:
    """Find the meanings of the words of a query.

    From left to right, the longest phrase of the vocabulary is taken. Other words can be names. A negation holds for what follows
    it, and goes on over ``or``; after ``without``, over ``and`` too. A negated name may have several words. Terms of one meaning
    are one term.

    Parameters
    ----------
    text : str
    vocabulary : Vocabulary
        With the genres of the library, see `Vocabulary.with_genres`.

    Returns
    -------
    WordQuery

    Examples
    --------
    >>> from sonotheque.explore.search import load_vocabulary
    >>> query = parse_query("slow music in F sharp minor without drums or vocals", load_vocabulary())
    >>> [(term.words, term.negated, term.describe()) for term in query.terms][:2]
    [('slow', False, 'tempo up to 80 BPM, less so up to 100 BPM'), ('in f sharp minor', False, 'key F# minor')]
    >>> [(term.words, term.negated, term.is_name) for term in query.terms][2:]
    [('drums', True, True), ('vocals', True, False)]
    """
    tokens = _tokenize(text)
    words = [token.word for token in tokens]
    terms: list[Term] = []
    ignored: list[str] = []
    negation, pending = "", False  # the last word of negation, and whether the next term is negated
    position = name_end = 0
    while position < len(tokens):
        token = tokens[position]
        step = 1
        negator = () if token.term is not None else _match_phrase(words[position:], vocabulary.negations)
        if token.is_break:
            negation, pending = "", False
        elif negator:
            negation, pending, step = negator[0], True, len(negator)
        elif token.term is not None:
            terms.append(replace(token.term, negated=pending))
            pending = False
        elif (found := _longest_phrase(tokens[position:], vocabulary)) is not None:
            step, meaning = found
            terms.append(Term(" ".join(words[position : position + step]), pending, meaning))
            pending = False
        elif token.word in vocabulary.ignored:
            if negation and (token.word in {"or", "nor"} or (token.word == "and" and negation == "without")):
                pending = True
            elif token.word in {"and", "but", "with"}:
                negation, pending = "", False
            ignored.append(token.word)
        else:
            if terms and terms[-1].is_name and terms[-1].negated and name_end == position:  # a name of several words
                terms[-1] = replace(terms[-1], words=f"{terms[-1].words} {token.word}", quoted=True)
            else:
                terms.append(Term(token.word, pending))
            pending, name_end = False, position + 1
        position += step
    return WordQuery(text, tuple(_merge(terms)), tuple(dict.fromkeys(ignored)))


def _longest_phrase(tokens: Sequence[_Token], vocabulary: Vocabulary) -> tuple[int, Meaning] | None:
    following = []
    for token in tokens:
        if token.term is not None or token.is_break:
            break
        following.append(token.word)
    return vocabulary.longest_match(following)


def _match_phrase(words: Sequence[str], phrases: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the longest phrase that some words start with, empty if there is none."""
    return max((phrase for phrase in phrases if tuple(words[: len(phrase)]) == phrase), key=len, default=())


def _merge(terms: Sequence[Term]) -> list[Term]:
    """Make one term of those that have the same meaning."""
    merged: dict[object, Term] = {}
    for number, term in enumerate(terms):
        key: object = (term.meaning.name, term.negated) if term.meaning is not None else number
        known = merged.get(key)
        merged[key] = term if known is None else replace(known, words=f"{known.words}, {term.words}")
    return list(merged.values())


def _tokenize(text: str) -> list[_Token]:
    key = MINUS_PATTERN.sub(" not ", search_key(text))
    tokens: list[_Token] = []
    position = 0
    while position < len(key):
        if position == 0 or not key[position - 1].isalnum():
            found = _match_special(key, position)
            if found is not None:
                term, position = found
                tokens.append(_Token("", term))
                continue
        if (match := WORD.match(key, position)) is not None:
            tokens.append(_Token(match.group()))
            position = match.end()
            continue
        if BREAK_PATTERN.match(key, position):
            tokens.append(_Token("", is_break=True))
        position += 1
    return tokens


def _match_special(key: str, position: int) -> tuple[Term, int] | None:
    """Match a tempo, a key or a quotation at a position of a query; return its term and its end."""
    readers: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Term]]] = [
        *((pattern, lambda match, kind=kind: _read_tempo(kind, match)) for kind, pattern in TEMPO_PATTERNS.items()),
        (KEY_PATTERN, _read_key),
        (MODE_PATTERN, _read_mode),
        (QUOTED_PATTERN, lambda match: Term(match.group(1).strip(), quoted=True)),
    ]
    for pattern, read in readers:
        match = pattern.match(key, position)
        if match is not None and (pattern is not QUOTED_PATTERN or split_words(match.group(1))):
            return read(match), match.end()
    return None


def _read_tempo(kind: str, match: re.Match[str]) -> Term:
    numbers = sorted(float(number) for number in match.groups())
    low, high = numbers[0], numbers[-1]
    if kind == "below":
        low = 0.0
    elif kind == "above":
        high = float("inf")
    elif kind != "range":
        low, high = round(low * (1 - TEMPO_TOLERANCE), 1), round(high * (1 + TEMPO_TOLERANCE), 1)
    return Term(match.group().strip(), tempo=(low, high))


def _read_key(match: re.Match[str]) -> Term:
    letter, sign, word, mode = match.groups()
    accidental = sign or {"sharp": "#", "flat": "b"}.get(word, "")
    return Term(match.group().strip(), keys=frozenset({KEYS.index(parse_key(f"{letter}{accidental} {mode}"))}))


def _read_mode(match: re.Match[str]) -> Term:
    mode = match.group(1) or match.group(2)
    keys = frozenset(number for number, name in enumerate(KEYS) if name.endswith(mode))
    return Term(match.group().strip(), keys=keys)

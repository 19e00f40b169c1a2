"""Queries are parsed into meanings, tempi, keys, names and negations, and the vocabulary has one meaning for each phrase."""

from __future__ import annotations

import pytest

from sonotheque import LibraryError
from sonotheque.embed.auto_tags import TAGS
from sonotheque.embed.tempo_key.key import KEYS
from sonotheque.explore.search import load_vocabulary, parse_query
from sonotheque.explore.search.parse import Term
from sonotheque.explore.search.vocabulary import make_vocabulary, split_words

VOCABULARY = load_vocabulary().with_genres(["Dub Techno", "rock", "17", "Été"])


def parse(text: str) -> list[str]:
    """Parse a query into the words of its terms: with ``-`` if negated, with the name of the meaning or quotation marks."""
    found = []
    for term in parse_query(text, VOCABULARY).terms:
        kind = term.meaning.name if term.meaning else term.describe() if not term.is_name else f'"{term.words}"'
        found.append(f"-{kind}" if term.negated else kind)
    return found


def term(text: str) -> Term:
    (found,) = parse_query(text, VOCABULARY).terms
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slow acoustic female vocals", ["slow", "acoustic", "female vocals"]),
        ("Hip-Hop, R&B and the 80’s", ["hip hop", "R&B", "80s"]),
        ("heavy heavy metal", ["heavy", "heavy metal"]),
        ("rock music, ROCK!", ["rock"]),
        ("dub techno", ["Dub Techno"]),
        ("ete", ["Été"]),
        ("17", ['"17"']),
        ("miles davis", ['"miles"', '"davis"']),
        ('"Blue Train" slow', ['"blue train"', "slow"]),
        ("“slow”", ['"slow"']),
        ('"..." slow', ["slow"]),
        ("no vocals", ["-vocals"]),
        ("-drums slow", ['-"drums"', "slow"]),
        ('-"blue train"', ['-"blue train"']),
        ("not rock, electronic", ["-rock", "electronic"]),
        ("no vocals or guitars and slow", ["-vocals", "-guitar", "slow"]),
        ("without vocals and guitars", ["-vocals", "-guitar"]),
        ("no vocals and guitars", ["-vocals", "guitar"]),
        ("rock but not too fast", ["rock", "-fast"]),
        ("not miles davis slow", ['-"miles davis"', "slow"]),
        ("singer - songwriter", ["singer-songwriter"]),
        ("non-vocal", ["-vocals"]),
        ("sad and sad", ["sad"]),
        ("sad not sad", ["sad", "-sad"]),
        ("and the ... !", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("120 bpm", 115.2, 124.8),
        ("around 120bpm", 115.2, 124.8),
        ("BPM: 120", 115.2, 124.8),
        ("90-110 BPM", 90, 110),
        ("110–90 bpm", 90, 110),
        ("between 90 and 110 beats per minute", 90, 110),
        ("from 90 bpm to 110 bpm", 90, 110),
        ("under 90 bpm", 0, 90),
        ("< 90 bpm", 0, 90),
        ("faster than 92.5 bpm", 92.5, float("inf")),
    ],
)
def test_tempi(text: str, low: float, high: float) -> None:
    assert term(text).tempo == (low, high)
    assert "BPM" in term(text).describe()
    assert parse(f"rock, not {text}, slow")[0::2] == ["rock", "slow"]
    assert parse(f"not {text}")[0].startswith("-tempo")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("in A minor", "A minor"),
        ("a minor", "A minor"),
        ("F# Major", "F# major"),
        ("in the key of f sharp major", "F# major"),
        ("Bb minor", "A# minor"),
        ("b-flat maj", "A# major"),
        ("C♭ min", "B minor"),
        ("B minor", "B minor"),
    ],
)
def test_keys(text: str, key: str) -> None:
    assert [KEYS[number] for number in term(text).keys or ()] == [key]
    assert term(text).describe() == f"key {key}"


def test_modes() -> None:
    for text in ("minor key", "in a minor key", "in minor"):
        assert {KEYS[number].split()[1] for number in term(text).keys or ()} == {"minor"}
        assert term(text).describe() == "a minor key"
    assert len(term("major key").keys or ()) == 12


def test_ignored_words_are_listed() -> None:
    query = parse_query("a slow song with guitar, a song", VOCABULARY)
    assert list(query.ignored) == ["a", "song", "with"]


def test_the_vocabulary() -> None:
    vocabulary = load_vocabulary()
    assert {tag for meaning in vocabulary.meanings.values() for tag in meaning.tags} == set(TAGS)
    for phrase, meaning in vocabulary.meanings.items():
        assert phrase
        assert phrase in meaning.genres
        assert meaning.tags or meaning.tempo or meaning.level, meaning.name
        assert meaning.describe()
        assert phrase[0] not in {words[0] for words in vocabulary.negations}
        if meaning.tempo:
            assert list(meaning.tempo) == sorted(meaning.tempo)
        assert parse_query(" ".join(phrase), vocabulary).terms[0].meaning == meaning


def test_every_tag_is_understood_by_its_name() -> None:
    for tag in TAGS:
        meaning = load_vocabulary().meanings[split_words(tag)]
        assert meaning.tags[tag] > 0
        assert not meaning.approximate


def test_a_wrong_vocabulary() -> None:
    def content(**entry: object) -> dict[str, object]:
        meanings = [{"name": "a", "words": ["x y"], "level": 1}, {"name": "b", "words": ["z"], **entry}]
        return {"meaning": meanings, "negations": ["no"], "ignored": ["the"]}

    assert make_vocabulary(content(tags={"rock": 1})).longest_match(["x", "y", "z"])
    with pytest.raises(LibraryError, match="'b' has the unknown key or tag 'drums'"):
        make_vocabulary(content(tags={"drums": 1}))
    with pytest.raises(LibraryError, match="'b' has the unknown key or tag 'tag'"):
        make_vocabulary(content(tag="rock"))
    with pytest.raises(LibraryError, match="'x y' means 'b' and 'a'"):
        make_vocabulary(content(words=["X-Y"]))

"""Search by words: which words of a query are understood and as what, and how well each track fits them.

`parse_query` finds the meanings of the words in a vocabulary (``vocabulary.toml``). Scorers turn the meanings into scores of all
tracks: `AttributeScorer` by what is known of the tracks (genres, auto-tags, tempo, key, level), `NameScorer` by titles, artists and
albums, and `TextAudioScorer` by a network that embeds text and audio in one space. `search_tracks` adds the scores.
"""

from sonotheque.explore.search.attribute_scorer import AttributeScorer
from sonotheque.explore.search.find_tracks import find_tracks
from sonotheque.explore.search.name_scorer import NameScorer
from sonotheque.explore.search.parse import Term, WordQuery, parse_query
from sonotheque.explore.search.scores import Scorer, TermScores, search_tracks
from sonotheque.explore.search.text_audio_scorer import TextAudioScorer, TextEncoder
from sonotheque.explore.search.track_arrays import GenrePredictions, TrackArrays, load_track_arrays
from sonotheque.explore.search.vocabulary import Meaning, Vocabulary, load_vocabulary

__all__ = [
    "AttributeScorer",
    "GenrePredictions",
    "Meaning",
    "NameScorer",
    "Scorer",
    "Term",
    "TermScores",
    "TextAudioScorer",
    "TextEncoder",
    "TrackArrays",
    "Vocabulary",
    "WordQuery",
    "find_tracks",
    "load_track_arrays",
    "load_vocabulary",
    "parse_query",
    "search_tracks",
]

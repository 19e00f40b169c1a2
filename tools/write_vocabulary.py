"""Generate docs/reference/vocabulary.md from the vocabulary of `sonotheque search`.

`make docs` runs this script. A test fails if the page is out of date.
"""

from __future__ import annotations

from pathlib import Path

from sonotheque.explore.search import load_vocabulary

OUTPUT = Path(__file__).parent.parent / "docs" / "reference" / "vocabulary.md"

INTRODUCTION = """# Vocabulary of search

The words that [`sonotheque search`](../how-to/search.md) understands. This page is generated from
`sonotheque/explore/search/vocabulary.toml` by `make docs`. Edit that file, not this page.

The labels of the library, tempi such as `120 bpm`, keys such as `A minor`, and the words of titles, artists, albums and file
names are understood as well. Case, accents, hyphens and other punctuation make no difference. The longest phrase is taken.

"About" means that nothing that is known of a track says just this, and that the meaning is only near it. If tracks have a label
that equals one of the words, the labels decide.
"""


def render_vocabulary() -> str:
    """Return the page as Markdown."""
    vocabulary = load_vocabulary()
    phrases: dict[str, list[str]] = {}
    for words, meaning in vocabulary.meanings.items():
        phrases.setdefault(meaning.name, []).append(" ".join(words))
    meanings = {meaning.name: meaning for meaning in vocabulary.meanings.values()}
    rows = [
        f"| {', '.join(phrases[name])} | {'about: ' if meaning.approximate else ''}{meaning.describe()} |"
        for name, meaning in meanings.items()
    ]
    negations = ", ".join(sorted(" ".join(words) for words in vocabulary.negations))
    return "\n".join(
        [
            INTRODUCTION,
            "| words | meaning |\n|---|---|",
            *rows,
            "",
            f"Words that negate what follows: {negations}, and a minus sign.",
            "",
            f"Words without a meaning of their own: {', '.join(sorted(vocabulary.ignored))}.",
            "",
        ]
    )


if __name__ == "__main__":
    OUTPUT.write_text(render_vocabulary(), encoding="utf-8")

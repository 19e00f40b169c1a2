"""Counts with their nouns, as every message writes them: 1 file, 2 files."""

from __future__ import annotations

from collections.abc import Mapping


def pluralize(count: int, noun: str, plural: str | None = None) -> str:
    """Format a count with its noun in the singular or plural.

    Parameters
    ----------
    count : int
    noun : str
        The singular.
    plural : str or None
        By default the singular with an ``s``.

    Examples
    --------
    >>> pluralize(1, "track"), pluralize(2, "track"), pluralize(2, "copy", "copies")
    ('1 track', '2 tracks', '2 copies')
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def summarize_counts(noun: str, counts: Mapping[str, int]) -> str:
    """List what happened to how many things. Counts of 0 are left out, and the first one has the noun.

    Parameters
    ----------
    noun : str
        The singular.
    counts : mapping of str to int
        Number of things by what happened to them; not empty. If all are 0, the first one is given.

    Examples
    --------
    >>> summarize_counts("file", {"embedded": 46, "already known": 0, "failed": 1})
    '46 files embedded, 1 failed'
    >>> summarize_counts("file", {"embedded": 0, "already known": 0})
    '0 files embedded'
    """
    (first, count), *others = [(name, count) for name, count in counts.items() if count] or list(counts.items())[:1]
    return ", ".join([f"{pluralize(count, noun)} {first}", *(f"{number} {name}" for name, number in others)])

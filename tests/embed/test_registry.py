"""Names and ids lead to spaces; unknown ones say what is known."""

from __future__ import annotations

import pytest

from sonotheque.embed import choose, open_embedder, space_of
from sonotheque.errors import SpaceError


def test_names_and_ids_are_the_same_space() -> None:
    space = space_of("musicnn")
    assert space_of(space.id) is space
    assert open_embedder(space.id).space == space


def test_auto_says_what_it_takes() -> None:
    choice = choose(("auto",))
    assert [space.embedder for space in choice.spaces] == ["musicnn"]
    assert choice.reason is not None
    assert "musicnn, which ships" in choice.reason
    assert len(choice.reason.splitlines()) == 1


def test_unknown() -> None:
    with pytest.raises(SpaceError, match=r"'vggish'.*musicnn"):
        choose(["vggish"])

"""The registry resolves names and ids to spaces, and lists the known names for an unknown one."""

from __future__ import annotations

import pytest

from sonotheque.embed import choose_spaces, open_embedder, space_of
from sonotheque.errors import SpaceError


def test_a_name_and_an_id_resolve_to_the_same_space() -> None:
    space = space_of("musicnn")
    assert space_of(space.id) is space
    assert open_embedder(space.id).space == space


def test_auto_explains_its_choice() -> None:
    choice = choose_spaces(("auto",))
    assert [space.embedder for space in choice.spaces] == ["musicnn"]
    assert choice.reason is not None
    assert "musicnn, which ships" in choice.reason
    assert len(choice.reason.splitlines()) == 1


def test_unknown_name() -> None:
    with pytest.raises(SpaceError, match=r"'vggish'.*musicnn"):
        choose_spaces(["vggish"])

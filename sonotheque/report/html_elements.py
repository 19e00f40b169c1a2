"""HTML elements that are safe against injection: `tag` and `join` escape every text that is not already `Html`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

DIGITS = 5
"""Decimals of numbers in the JSON of a page."""


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


def tag(element: str, /, *children: str, **attributes: object) -> Html:
    """Make an HTML element.

    Parameters
    ----------
    element : str
        Name of the element.
    *children : str or Html
        Plain text is escaped.
    **attributes
        A trailing underscore is removed (``class_``), other underscores become hyphens. None omits the attribute; True writes it
        without a value.

    Examples
    --------
    >>> tag("p", "1 < 2", tag("b", "!"), class_="note", data_row=3, hidden=True)
    '<p class="note" data-row="3" hidden>1 &lt; 2<b>!</b></p>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None
    )
    if element in {"meta", "img", "link", "input"}:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{join(children)}</{element}>")


def join(children: Iterable[str]) -> Html:
    """Concatenate children; plain text is escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    kind: str | None = None,
) -> Html:
    """Make a table that scrolls sideways when it is too wide.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
        The first cell of each row is its header.
    numbers : sequence of int
        Columns to align to the right.
    kind : str or None
        CSS class.
    """

    def css_class(column: int) -> str | None:
        return "number" if column in numbers else None

    head = tag("tr", *(tag("th", title, scope="col", class_=css_class(column)) for column, title in enumerate(header)))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(tag("td", cell, class_=css_class(column)) for column, cell in enumerate(row[1:], start=1)),
        )
        for row in rows
    ]
    content = tag("table", tag("thead", head), tag("tbody", *body), class_=kind)
    return tag("div", content, class_="scroll", tabindex=0, role="group", aria_label=header[0])


def data_script(element_id: str, value: Any) -> Html:
    r"""Make a script element that holds JSON; characters that could end the element are escaped.

    Examples
    --------
    >>> data_script("data", {"title": "</script><b>"})
    '<script type="application/json" id="data">{"title":"\\u003c/script\\u003e\\u003cb\\u003e"}</script>'
    """
    text = json.dumps(_round_floats(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{escape(element_id)}">{text}</script>')


def _round_floats(value: Any) -> Any:
    """Round floats to `DIGITS`; NaN and infinities become None."""
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _round_floats(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_round_floats(one) for one in value]
    return value

"""HTML that cannot be injected: text is escaped unless it is already `Html`, and only `tag` and `join` make that of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

DIGITS = 5
"""After the point, of numbers inside the page."""


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(element: str, /, *children: str, **attributes: object) -> Html:
    """Make an element.

    Parameters
    ----------
    element : str
        Its name.
    *children : text, which is escaped, or `Html`
    **attributes
        ``class_`` stands for ``class``, an underscore inside for a hyphen; None leaves an attribute out, True gives it no value.

    Examples
    --------
    >>> tag("p", "1 < 2", tag("b", "!"), class_="note", data_row=3, hidden=True)
    '<p class="note" data-row="3" hidden>1 &lt; 2<b>!</b></p>'
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None
    )
    if element in {"meta", "img", "link", "input"}:
        return Html(f"<{element}{given}>")
    return Html(f"<{element}{given}>{join(children)}</{element}>")


def join(children: Iterable[str]) -> Html:
    """Put text, which is escaped, and `Html` one after the other."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    kind: str | None = None,
) -> Html:
    """Make a table whose first column names the rows; `numbers` are columns aligned to the right."""

    def aligned(column: int) -> str | None:
        return "number" if column in numbers else None

    head = tag("tr", *(tag("th", title, scope="col", class_=aligned(column)) for column, title in enumerate(header)))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(tag("td", cell, class_=aligned(column)) for column, cell in enumerate(row[1:], start=1)),
        )
        for row in rows
    ]
    whole = tag("table", tag("thead", head), tag("tbody", *body), class_=kind)
    return tag("div", whole, class_="scroll", tabindex=0, role="group", aria_label=header[0])


def data_script(name: str, value: Any) -> Html:
    r"""Put JSON into the page, in which nothing can end the script.

    Examples
    --------
    >>> data_script("data", {"title": "</script><b>"})
    '<script type="application/json" id="data">{"title":"\\u003c/script\\u003e\\u003cb\\u003e"}</script>'
    """
    text = json.dumps(_short(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{escape(name)}">{text}</script>')


def _short(value: Any) -> Any:
    """Round numbers; what is no number becomes null."""
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(one) for one in value]
    return value

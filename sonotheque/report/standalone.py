"""A page that stands alone: style, data, Plotly and script are inside, and its policy lets it ask no host for anything."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

from sonotheque.report.markup import Html, data_script, join, tag

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'{code}; style-src 'unsafe-inline'; img-src data: blob: file:; "
    "media-src data: file:{media}; base-uri 'none'; form-action 'none'"
)
"""What a page may load: nothing from any host, unless sounds are to come from one. Plotly makes the code of its WebGL traces as it
runs, which needs leave of its own."""


def standalone(
    children: Sequence[str],
    *,
    title: str,
    lang: str,
    package: str,
    name: str,
    data_id: str,
    data: Any,
    webgl: bool = False,
    media: str | None = None,
) -> str:
    """Write a whole page.

    Parameters
    ----------
    children : parts of the body
    title, lang : str
    package, name : str
        ``name.css`` and ``name.js`` in that package are its style and its script.
    data_id : str
        Under which the script finds the data.
    data : anything that JSON takes
    webgl : bool
        Whether Plotly draws with WebGL.
    media : str or None
        Address from which sounds may be loaded.

    Returns
    -------
    str
    """
    files = resources.files(package)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content=POLICY.format(code=" 'unsafe-eval'" if webgl else "", media=f" {media}" if media else ""),
        ),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="sonotheque"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        Html(f"<style>{(files / f'{name}.css').read_text(encoding='utf-8')}</style>"),
    )
    body = tag(
        "body",
        *children,
        data_script(data_id, data),
        Html(f"<script>{_plotly()}</script>"),
        Html(f"<script>{(files / f'{name}.js').read_text(encoding='utf-8')}</script>"),
    )
    return join([Html("<!DOCTYPE html>\n"), tag("html", head, body, lang=lang)]) + "\n"


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("</script", "<\\/script")

"""Self-contained HTML pages: style, data, script and, if needed, Plotly are inline; a security policy forbids network requests."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

from sonotheque import __version__
from sonotheque.report.html_elements import Html, data_script, join, tag

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'{code}; style-src 'unsafe-inline'; img-src data: blob: file:; "
    "media-src data: file:{media}; base-uri 'none'; form-action 'none'"
)
"""A page may load nothing from the network, except audio from one host if the caller names it. Plotly generates code for its WebGL
traces at run time; ``{code}`` is then ``unsafe-eval``."""


def build_html_page(
    children: Sequence[str],
    *,
    title: str,
    lang: str,
    package: str,
    name: str,
    data_id: str,
    data: Any,
    plotly: bool = True,
    scripts: Sequence[str] = (),
    webgl: bool = False,
    media: str | None = None,
) -> str:
    """Build a complete HTML page.

    Parameters
    ----------
    children : sequence of str or Html
        Content of the body.
    title, lang : str
    package, name : str
        The style is ``name.css`` and the script ``name.js`` in this package.
    data_id : str
        Id of the element that holds the data.
    data : JSON-serialisable value
    plotly : bool
        Whether the page needs Plotly's script (5 MB).
    scripts : sequence of str
        Names of further scripts in the package, which the script of the page uses.
    webgl : bool
        True if the page uses Plotly's WebGL traces.
    media : str or None
        Origin from which audio may be loaded, such as ``http://localhost:8000``.

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
            content=CONTENT_SECURITY_POLICY.format(
                code=" 'unsafe-eval'" if webgl else "", media=f" {media}" if media else ""
            ),
        ),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"sonotheque {__version__}"),  # see `sonotheque.output_files`
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        Html(f"<style>{(files / f'{name}.css').read_text(encoding='utf-8')}</style>"),
    )
    body = tag(
        "body",
        *children,
        data_script(data_id, data),
        Html(f"<script>{_plotly_script()}</script>" if plotly else ""),
        *(
            Html(f"<script>{(files / f'{script}.js').read_text(encoding='utf-8')}</script>")
            for script in (*scripts, name)
        ),
    )
    return join([Html("<!DOCTYPE html>\n"), tag("html", head, body, lang=lang)]) + "\n"


def _plotly_script() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("</script", "<\\/script")

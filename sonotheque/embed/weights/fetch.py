"""Download published weights into the user's cache. Downloads are resumed, retried, and verified before use.

Environment variables: ``SONOTHEQUE_OFFLINE=1`` forbids downloads, ``SONOTHEQUE_CACHE`` sets the cache folder, and
``SONOTHEQUE_WEIGHTS_MIRROR`` is the URL of a folder that holds files of the same names. The usual proxy variables apply.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from sonotheque.embed.weights.openl3 import DOWNLOAD_MEGABYTES, PublishedModel
from sonotheque.errors import WeightsError
from sonotheque.user_folders import cache_folder

Progress = Callable[[int, int], None]
"""Called with the bytes received and the total bytes (0 if the server does not send the length)."""

MAX_BYTES = 200 * 1024 * 1024
"""A download that exceeds this size is aborted: no published model comes close to it."""

READ_TIMEOUT = 8.0
"""Seconds without data after which a connection is closed."""

MAX_ATTEMPTS = 4
CHUNK_SIZE = 1 << 16


def is_published(content: bytes, model: PublishedModel) -> bool:
    """Return whether the content is exactly the published file, compressed or (if that checksum is known) decompressed."""
    if hashlib.sha256(content).hexdigest() in {model.sha256, model.unpacked_sha256}:
        return True
    blob_id = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return model.sha256 is None and blob_id == model.git_blob_id


def find_cached(model: PublishedModel) -> Path | None:
    """Return the path of the model in the cache, or None. The content is not read; see `is_intact`."""
    try:
        path = cache_folder() / model.filename
    except WeightsError:  # no home folder, so no cache
        return None
    return path if os.path.isfile(path) else None


def is_intact(path: Path, model: PublishedModel) -> bool:
    """Return whether a file can be read and is exactly the published one."""
    try:
        return is_published(path.read_bytes(), model)
    except OSError:
        return False


def fetch_weights(
    model: PublishedModel,
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
    attempts: int = MAX_ATTEMPTS,
) -> Path:
    """Return the path of a model in the cache, and download it first if it is missing or damaged.

    A damaged file is replaced only when the download is complete.

    Parameters
    ----------
    model : PublishedModel
    progress : callable
        Called as data arrives.
    timeout : float or None
        Limit on the total time, in s. The data received until then is kept for the next attempt.
    attempts : int
        Maximum number of connections, with increasing pauses between them.

    Returns
    -------
    Path

    Raises
    ------
    WeightsError
        If the download fails or the file is not the published one. The message lists alternatives.
    """
    found = find_cached(model)
    if found and is_intact(found, model):
        return found
    cache_folder()  # without one, there is nowhere to download to
    if os.environ.get("SONOTHEQUE_OFFLINE", "0") not in {"", "0"}:
        state = f"{found} is damaged, and " if found else ""
        raise WeightsError(unavailable_message(model, f"{state}SONOTHEQUE_OFFLINE forbids downloads"))
    outcome: list[Path | WeightsError] = []
    stop = threading.Event()

    def work() -> None:
        try:
            outcome.append(_download_with_retries(model, progress=progress, attempts=attempts, stop=stop))
        except WeightsError as error:
            outcome.append(error)
        except Exception as error:  # one of this program; a thread would print it
            outcome.append(WeightsError(unavailable_message(model, f"{type(error).__name__}: {error}")))

    thread = threading.Thread(target=work, daemon=True)  # a DNS lookup that hangs cannot be timed out otherwise
    thread.start()
    thread.join(timeout)
    if not outcome:
        stop.set()
        raise WeightsError(unavailable_message(model, f"not downloaded within {timeout:.0f} s"))
    if isinstance(outcome[0], WeightsError):
        raise outcome[0]
    return outcome[0]


def unavailable_message(model: PublishedModel, reason: str) -> str:
    """Return an error message that states why a download failed and what the user can do."""
    return (
        f"{model.name}: {reason}. The file is {model.url}. Alternatives: set SONOTHEQUE_WEIGHTS_MIRROR to the URL of a "
        f"folder that holds {model.filename}; set SONOTHEQUE_OPENL3_WEIGHTS to a local .h5 or .h5.gz file; "
        "or use --embedder musicnn, which needs no download"
    )


def missing_message(model: PublishedModel) -> str:
    """Return an error message that states that the weights are not on this machine and how to get them."""
    return (
        f"{model.name}: its weights are not on this machine; `sonotheque weights fetch {model.name}` downloads them once "
        f"({DOWNLOAD_MEGABYTES} MB). Without a network, set SONOTHEQUE_OPENL3_WEIGHTS to a local .h5 or .h5.gz file"
    )


def damaged_message(model: PublishedModel, path: Path) -> str:
    """Return an error message that states that the weights in the cache are damaged and how to replace them."""
    return f"{model.name}: {path} is damaged; `sonotheque weights fetch {model.name}` replaces it"


def _download_url(model: PublishedModel) -> str:
    mirror = os.environ.get("SONOTHEQUE_WEIGHTS_MIRROR")
    url = f"{mirror.rstrip('/')}/{model.filename}" if mirror else model.url
    if not url.startswith(("https://", "http://")):
        raise WeightsError(f"SONOTHEQUE_WEIGHTS_MIRROR={mirror}: the URL must begin with https:// or http://")
    return url


def _download_with_retries(
    model: PublishedModel, *, progress: Progress | None, attempts: int, stop: threading.Event
) -> Path:
    """Download a model into a partial file, verify it and move it into the cache."""
    target = cache_folder() / model.filename
    part = target.with_name(target.name + ".part")
    reason = ""
    for attempt in range(attempts):
        if attempt and stop.wait(2.0 ** (attempt - 1)):
            break
        try:
            _download(_download_url(model), part, progress=progress, stop=stop)
        except _PermanentError as error:
            raise WeightsError(unavailable_message(model, str(error))) from None
        except (OSError, http.client.HTTPException) as error:
            reason = f"the download failed ({getattr(error, 'reason', error)})"
            continue
        if is_published(part.read_bytes(), model):
            os.replace(part, target)
            return target
        part.unlink()
        reason = "the downloaded file is not the published one (its checksum differs)"
    raise WeightsError(unavailable_message(model, reason or "the download was stopped"))


class _PermanentError(Exception):
    """A failure that another attempt cannot fix."""


def _download(url: str, part: Path, *, progress: Progress | None, stop: threading.Event) -> None:
    """Download into a partial file; resume if the file already has data."""
    received = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "sonotheque"})  # noqa: S310 - checked by _download_url
    if received:
        request.add_header("Range", f"bytes={received}-")
    try:
        response = urllib.request.urlopen(request, timeout=READ_TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # the partial file is complete, or longer than the file on the server
            raise OSError("the file on the server has changed") from None
        if error.code in {http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS} or error.code >= 500:
            raise
        raise _PermanentError(f"the server returned HTTP {error.code} {error.reason}") from None
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            received = 0
        length = int(response.headers.get("Content-Length") or 0)
        total = received + length
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("r+b" if received else "wb") as file:
            file.seek(received)
            while not stop.is_set() and (block := response.read1(CHUNK_SIZE)):
                file.write(block)
                received += len(block)
                if received > MAX_BYTES:
                    raise _PermanentError(f"the download exceeded {MAX_BYTES} bytes")
                if progress:
                    progress(received, total)
        if length and received < total:
            raise OSError(f"the connection ended after {received} of {total} bytes")

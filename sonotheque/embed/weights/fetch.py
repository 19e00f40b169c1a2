"""Fetches a published file of weights into the user's cache: resumed, retried, checked before it counts.

Environment: ``SONOTHEQUE_OFFLINE=1`` forbids it, ``SONOTHEQUE_CACHE`` moves the cache, ``SONOTHEQUE_WEIGHTS_MIRROR`` names an
address under which files of the same names lie. Proxies are those of the environment, as for any program.
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

from sonotheque.embed.weights.openl3 import PublishedModel
from sonotheque.errors import WeightsError

Progress = Callable[[int, int], None]
"""Called with bytes received and bytes in all (0 where the server does not say)."""

LARGEST = 200 * 1024 * 1024
"""Bytes at which a download is broken off: no published model is near that."""

STALL = 8.0
"""Seconds without a byte after which a connection is given up."""

TRIES = 4
PART = 1 << 16


def cache_folder() -> Path:
    """Return the folder for weights: $SONOTHEQUE_CACHE, else the user's cache folder."""
    import platformdirs

    named = os.environ.get("SONOTHEQUE_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("sonotheque")


def is_published(content: bytes, model: PublishedModel) -> bool:
    """Say whether these are just the published bytes, packed, or unpacked where that sum is known."""
    if hashlib.sha256(content).hexdigest() in {model.sha256, model.unpacked}:
        return True
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return model.sha256 is None and blob == model.blob


def cached(model: PublishedModel) -> Path | None:
    """Return the file in the cache, None where there is none. It was checked when it came."""
    path = cache_folder() / model.file
    return path if path.is_file() else None


def fetch(
    model: PublishedModel, *, progress: Progress | None = None, seconds: float | None = None, tries: int = TRIES
) -> Path:
    """Fetch a model into the cache, or find it there.

    Parameters
    ----------
    model : PublishedModel
    progress : callable
        Called as bytes arrive.
    seconds : float or None
        Give up after so long, whatever happens; what has come so far is kept for the next time.
    tries : int
        Connections that are tried, with growing pauses.

    Returns
    -------
    Path

    Raises
    ------
    WeightsError
        If it cannot be fetched or is not the published file; the message says what else can be done.
    """
    found = cached(model)
    if found:
        return found
    if os.environ.get("SONOTHEQUE_OFFLINE", "0") not in {"", "0"}:
        raise WeightsError(advice(model, "SONOTHEQUE_OFFLINE forbids downloads"))
    outcome: list[Path | WeightsError] = []
    stop = threading.Event()

    def work() -> None:
        try:
            outcome.append(_fetch(model, progress=progress, tries=tries, stop=stop))
        except WeightsError as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)  # a name server that is silent cannot be timed out otherwise
    thread.start()
    thread.join(seconds)
    if not outcome:
        stop.set()
        raise WeightsError(advice(model, f"not fetched within {seconds:.0f} s"))
    if isinstance(outcome[0], WeightsError):
        raise outcome[0]
    return outcome[0]


def advice(model: PublishedModel, reason: str) -> str:
    """Say what is wrong and what can be done instead."""
    return (
        f"{model.name}: {reason}. Its address is {model.address}. Other ways: SONOTHEQUE_WEIGHTS_MIRROR=ADDRESS of a "
        f"folder that holds {model.file}; SONOTHEQUE_OPENL3_WEIGHTS=FILE, the .h5 or .h5.gz that you have; "
        "or --embedder musicnn, which needs no download"
    )


def _address(model: PublishedModel) -> str:
    mirror = os.environ.get("SONOTHEQUE_WEIGHTS_MIRROR")
    address = f"{mirror.rstrip('/')}/{model.file}" if mirror else model.address
    if not address.startswith(("https://", "http://")):
        raise WeightsError(f"SONOTHEQUE_WEIGHTS_MIRROR={mirror}: must begin with https:// or http://")
    return address


def _fetch(model: PublishedModel, *, progress: Progress | None, tries: int, stop: threading.Event) -> Path:
    target = cache_folder() / model.file
    part = target.with_name(target.name + ".part")
    reason = ""
    for attempt in range(tries):
        if attempt and stop.wait(2.0 ** (attempt - 1)):
            break
        try:
            _receive(_address(model), part, progress=progress, stop=stop)
        except _RefusedError as error:
            raise WeightsError(advice(model, str(error))) from None
        except (OSError, http.client.HTTPException) as error:
            reason = f"cannot be fetched ({getattr(error, 'reason', error)})"
            continue
        if is_published(part.read_bytes(), model):
            os.replace(part, target)
            return target
        part.unlink()
        reason = "what came is not the published file (its sum differs)"
    raise WeightsError(advice(model, reason or "stopped"))


class _RefusedError(Exception):
    """The server gave an answer that trying again will not change."""


def _receive(address: str, part: Path, *, progress: Progress | None, stop: threading.Event) -> None:
    """Receive into a part file, going on where an earlier try ended."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "sonotheque"})  # noqa: S310 - checked by _address
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=STALL)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # it was whole, or longer than the file now is
            raise OSError("the server has another file than before") from None
        if error.code in {http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS} or error.code >= 500:
            raise
        raise _RefusedError(f"the server answered {error.code} {error.reason}") from None
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            have = 0
        length = int(response.headers.get("Content-Length") or 0)
        total = have + length
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while not stop.is_set() and (block := response.read1(PART)):
                file.write(block)
                have += len(block)
                if have > LARGEST:
                    raise _RefusedError(f"more than {LARGEST} bytes came")
                if progress:
                    progress(have, total)
        if length and have < total:
            raise OSError(f"the connection ended after {have} of {total} bytes")

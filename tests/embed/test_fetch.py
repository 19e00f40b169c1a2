"""Downloads of weights: interrupted, stalled and corrupt transfers, retries, and verification."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sonotheque.embed.weights import fetch as module
from sonotheque.embed.weights.fetch import fetch_weights, find_cached, is_published
from sonotheque.embed.weights.openl3 import MODELS, PublishedModel
from sonotheque.errors import WeightsError
from sonotheque.user_folders import cache_folder

CONTENT = bytes(range(256)) * 4000
MODEL = PublishedModel("test", "music", "mel256", "", hashlib.sha256(CONTENT).hexdigest(), None)


StartServer = Callable[..., "Server"]


class Server:
    """An HTTP server with one scripted behaviour per request; the last behaviour is repeated."""

    def __init__(self, behaviours: list[str]) -> None:
        self.requests: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.headers.get("Range"))
                outer.respond(self, behaviours[min(len(outer.requests), len(behaviours)) - 1])

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, handler: BaseHTTPRequestHandler, behaviour: str) -> None:
        begin = 0
        requested_range = handler.headers.get("Range")
        if behaviour == "error":
            return handler.send_error(503)
        if behaviour == "missing":
            return handler.send_error(404)
        if requested_range and behaviour != "no ranges":
            begin = int(requested_range.removeprefix("bytes=").rstrip("-"))
            handler.send_response(206)
        else:
            handler.send_response(200)
        body = CONTENT[begin:]
        if behaviour == "corrupt":
            body = body[:-1] + b"!"
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if behaviour == "drop":
            body = body[: len(body) // 2]
        if behaviour == "stall":
            handler.wfile.write(body[:1000])
            handler.wfile.flush()
            time.sleep(20)
            return None
        handler.wfile.write(body)
        return None


@pytest.fixture(autouse=True)
def isolated_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SONOTHEQUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SONOTHEQUE_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.5)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartServer]:
    started: list[Server] = []

    def start(*behaviours: str) -> Server:
        server = Server(list(behaviours))
        started.append(server)
        monkeypatch.setenv("SONOTHEQUE_WEIGHTS_MIRROR", server.url)
        return server

    yield start
    for server in started:
        server.server.shutdown()
        server.server.server_close()


def test_a_downloaded_file_is_cached(serve: StartServer, tmp_path: Path) -> None:
    server = serve("whole")
    seen: list[tuple[int, int]] = []
    path = fetch_weights(MODEL, progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert fetch_weights(MODEL) == find_cached(MODEL) == path
    assert len(server.requests) == 1
    assert [file.name for file in (tmp_path / "cache").iterdir()] == [MODEL.filename]


def test_a_damaged_cached_file_is_replaced(serve: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve("missing", "whole")
    path = write_cached_file(CONTENT[:-1])
    for refused, message in ((True, "is damaged, and SONOTHEQUE_OFFLINE"), (False, "404")):
        monkeypatch.setenv("SONOTHEQUE_OFFLINE", str(int(refused)))
        with pytest.raises(WeightsError, match=message):
            fetch_weights(MODEL)
        assert path.read_bytes() == CONTENT[:-1]
    assert fetch_weights(MODEL) == path
    assert path.read_bytes() == CONTENT
    assert len(server.requests) == 2


def write_cached_file(content: bytes) -> Path:
    path = cache_folder() / MODEL.filename
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("first", ["drop", "stall", "error"])
def test_an_interrupted_download_is_resumed(serve: StartServer, first: str) -> None:
    server = serve(first, "whole")
    assert fetch_weights(MODEL).read_bytes() == CONTENT
    assert len(server.requests) == 2
    assert (server.requests[1] is not None) == (first != "error")


def test_without_range_support_the_download_restarts(serve: StartServer) -> None:
    serve("drop", "no ranges")
    assert fetch_weights(MODEL).read_bytes() == CONTENT


def test_a_corrupt_file_is_rejected(serve: StartServer, tmp_path: Path) -> None:
    serve("corrupt")
    with pytest.raises(WeightsError, match="checksum differs"):
        fetch_weights(MODEL, attempts=2)
    assert list((tmp_path / "cache").iterdir()) == []
    assert find_cached(MODEL) is None


def test_not_found_is_not_retried(serve: StartServer, tmp_path: Path) -> None:
    server = serve("missing")
    with pytest.raises(WeightsError, match="404") as raised:
        fetch_weights(MODEL)
    assert len(server.requests) == 1
    for alternative in (MODEL.url, "SONOTHEQUE_WEIGHTS_MIRROR", "SONOTHEQUE_OPENL3_WEIGHTS", "musicnn"):
        assert alternative in str(raised.value)
    assert not (tmp_path / "cache").exists()


def test_timeout(serve: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 30)
    serve("stall")
    begin = time.monotonic()
    with pytest.raises(WeightsError, match="within 1 s"):
        fetch_weights(MODEL, timeout=1)
    assert time.monotonic() - begin < 3


def test_connection_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SONOTHEQUE_WEIGHTS_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="refused"):
        fetch_weights(MODEL, attempts=1)
    assert not (tmp_path / "cache").exists()


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOTHEQUE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="SONOTHEQUE_OFFLINE forbids"):
        fetch_weights(MODEL)


def test_a_mirror_must_be_an_http_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOTHEQUE_WEIGHTS_MIRROR", "file:///etc")
    with pytest.raises(WeightsError, match="must begin with https"):
        fetch_weights(MODEL)


def test_published_models() -> None:
    assert len(MODELS) == 6
    for name, model in MODELS.items():
        assert model.name == name
        assert len(model.git_blob_id) == 40
        assert model.url.endswith(f"openl3_audio_{model.input_repr}_{model.content}-v0_4_0.h5.gz")
    blob = PublishedModel("x", "env", "linear", hashlib.sha1(b"blob 3\0abc").hexdigest())  # noqa: S324
    assert is_published(b"abc", blob)
    assert not is_published(b"abd", blob)
    assert not is_published(b"abc", MODELS["openl3-music-mel256"])

"""No command connects to another machine, nor do its worker processes and compiled libraries.

Two detectors watch the same run of every command. `network_guard` is an audit hook in each Python process: it names the caller
and refuses the connection. strace sees the system calls of compiled code too; where it cannot run, `network_logger.c` under
``LD_PRELOAD`` takes its place.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from network_guard import is_local

from sonotheque.cli import cli
from sonotheque.demo import music, unlabelled

HERE = Path(__file__).parent
OFFLINE = {"SONOTHEQUE_OFFLINE": "1"}
NO_TRACER = (
    "NEITHER STRACE NOR LD_PRELOAD: the connections of compiled code are NOT watched (Debian: apt-get install strace)"
)


@dataclass(frozen=True)
class Step:
    """One run of a command: the arguments behind its name, its exit status, variables of its environment."""

    command: str
    arguments: str = ""
    status: int = 0
    library: str = "library"
    environment: Mapping[str, str] = field(default_factory=dict)


STEPS = (
    Step("add", "{music} --labels {music}/metadata.csv --embedder musicnn --embedder descriptors"),
    Step("add", "{new} --embedder auto", library="auto", environment=OFFLINE),
    Step("status"),
    Step("label", "{music}/metadata.csv"),
    Step("similar", "{new} -k 3"),
    Step("index", "--kind auto"),
    Step("search", "slow music --m3u found.m3u8"),
    Step("playlist", "{new} --m3u list.m3u8 --rekordbox list.xml"),
    Step("duplicates", "--csv duplicates.csv"),
    Step("train", "--model logreg"),
    Step("train", "--trials 2"),
    Step("classify", "{new} --timeline --csv genres.csv"),
    Step("evaluate", "--model logreg --folds 2 --report report"),
    Step("evaluate", "--retrieval -k 3"),
    Step("errors", "--csv errors.csv --page errors.html"),
    Step("map", "-o map.html"),
    Step("clusters", "--csv clusters.csv"),
    Step("inspect", "{new} -o inspected.png"),
    Step("export", "--tags tags.csv --parquet points.parquet"),
    Step("tag", "{music} --write"),
    Step("remove", "{music}/metal"),
    Step("undo"),
    Step("weights list"),
    Step("weights verify"),
    Step("weights path", status=1),
    Step("weights fetch", status=1, environment=OFFLINE),
)
"""Every command but the demo, in an order in which each finds what it needs. Only those that would fetch weights are told to stay
offline."""

DEMO = (Step("demo"),)


def walk_commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walk_commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def test_every_command_is_watched() -> None:
    assert {step.command for step in STEPS + DEMO} == set(walk_commands(cli))


@dataclass(frozen=True)
class Tracer:
    """What logs the system calls of a process and its children: strace's command, or a library to preload."""

    command: tuple[str, ...] = ()
    library: Path | None = None

    def prefix(self, log: Path) -> list[str]:
        return [*self.command, "-o", str(log)] if self.command else []

    def environment(self, log: Path) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CONNECTION_TRACE": str(log)} if self.library else {}


def find_strace() -> Tracer | str:
    """Return strace, or why it cannot run: it is not installed, or the system forbids ptrace."""
    program = shutil.which("strace")
    if program is None:
        return "strace is not installed"
    command = [program, "-f", "-qq", "-s", "0", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-e", "signal=none"]
    reason = ""
    for faster in (["--seccomp-bpf"], []):  # strace 5.3 and later: a process stops at these calls only
        tracer = Tracer((*command, *faster))
        probe = [*tracer.prefix(Path(os.devnull)), sys.executable, "-c", ""]
        result = subprocess.run(probe, capture_output=True, text=True, check=False)
        if result.returncode == 0 and not result.stderr:
            return tracer
        reason = result.stderr.strip()
    return f"strace cannot run ({reason})"


def find_preload(folder: Path) -> Tracer | str:
    """Compile network_logger.c, or return why it cannot be used."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return "LD_PRELOAD needs Linux and a C compiler"
    shared = folder / "network_logger.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(shared), str(HERE / "network_logger.c"), "-ldl"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return f"network_logger.c does not compile ({result.stderr.strip()})"
    return Tracer(library=shared)


def find_tracer(folder: Path) -> Tracer | str:
    """Return strace, else what is preloaded, else why neither can be used."""
    strace = find_strace()
    if isinstance(strace, Tracer):
        return strace
    preload = find_preload(folder)
    return preload if isinstance(preload, Tracer) else f"{strace}; {preload}"


CALL = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg|getaddrinfo)\((.*)")
FAMILY = re.compile(r"sa_family=(\w+)")
HOST = re.compile(r'(?:inet_addr\(|inet_pton\(AF_INET6, |getaddrinfo\()"([^"]*)"')
NAME_SERVER = ("htons(53)", "io.systemd.Resolve")
"""On this machine too: it asks others about each name."""


def read_trace(log: Path) -> list[str]:
    """List the calls in a tracer's log that reach another machine."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [line for line in lines if CALL.search(line) and _is_remote(line)]


def _is_remote(call: str) -> bool:
    if any(server in call for server in NAME_SERVER):
        return True
    hosts = HOST.findall(call)
    if hosts:
        return not all(map(is_local, hosts))
    return not set(FAMILY.findall(call)) <= {"AF_UNIX", "AF_NETLINK", "AF_UNSPEC"}


@dataclass(frozen=True)
class Watch:
    """Runs programs in a bare environment, as of a new user, and says where they connect to."""

    folder: Path
    tracer: Tracer | None

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None
    ) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """Run a program; return how it ended, and each connection beyond the machine.

        Only the variables below are kept: telemetry stays silent where ``CI`` or ``PYTEST_CURRENT_TEST`` is set or where the user's
        home holds a refusal, and through a proxy on this machine a connection would look local.
        """
        guard, trace, home = self.folder / "guard.log", self.folder / "trace.log", self.folder / "home"
        guard.unlink(missing_ok=True)
        trace.unlink(missing_ok=True)
        home.mkdir(exist_ok=True)
        (self.folder / "site").mkdir(exist_ok=True)
        shutil.copy(HERE / "network_guard.py", self.folder / "site" / "sitecustomize.py")
        paths = [str(self.folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG") if name in os.environ}
        result = subprocess.run(
            [*(self.tracer.prefix(trace) if self.tracer else ()), *command],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            timeout=600,
            env={
                **kept,
                "HOME": str(home),
                "SONOTHEQUE_CACHE": str(self.folder / "cache"),
                "PYTHONPATH": os.pathsep.join(paths),
                "CONNECTION_LOG": str(guard),
                **(self.tracer.environment(trace) if self.tracer else {}),
                **(environment or {}),
            },
        )
        seen = guard.read_text(encoding="utf-8").splitlines() if guard.exists() else []
        return result, seen + read_trace(trace)


def remote_snippet(statement: str) -> list[str]:
    """Make a program whose child process runs a statement."""
    child = f"import asyncio, ctypes, socket, struct\n{statement}"
    return [sys.executable, "-c", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"]


LIBC_CONNECT = """
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # UDP: connecting sends nothing
address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9), socket.inet_aton("{host}"))
ctypes.CDLL(None).connect(end.fileno(), address, len(address))
"""


@pytest.mark.parametrize(
    ("statement", "host"),
    [
        ("socket.create_connection(('192.0.2.1', 80), timeout=1)", "192.0.2.1"),
        ("socket.socket().connect_ex(('192.0.2.1', 80))", "192.0.2.1"),
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))", "192.0.2.1"),
        ("socket.getaddrinfo('example.invalid', 80)", "example.invalid"),
        ("asyncio.run(asyncio.open_connection('192.0.2.1', 80))", "192.0.2.1"),
        ("import urllib.request; urllib.request.urlopen('http://example.invalid')", "example.invalid"),
    ],
)
def test_the_guard_sees_python(tmp_path: Path, statement: str, host: str) -> None:
    """192.0.2.0/24 is for documentation and never reached (RFC 5737)."""
    _, seen = Watch(tmp_path, None).run(*remote_snippet(statement))
    assert [line for line in seen if line.startswith("socket.") and host in line]


@pytest.mark.parametrize("kind", ["strace", "LD_PRELOAD"])
def test_the_tracer_sees_compiled_code(tmp_path: Path, kind: str) -> None:
    tracer = find_strace() if kind == "strace" else find_preload(tmp_path)
    if isinstance(tracer, str):
        pytest.skip(tracer)
    watch = Watch(tmp_path, tracer)
    _, seen = watch.run(*remote_snippet(LIBC_CONNECT.format(host="192.0.2.1")))
    assert len(seen) == 1
    assert "connect(" in seen[0]
    assert "192.0.2.1" in seen[0]
    _, local = watch.run(*remote_snippet(LIBC_CONNECT.format(host="127.0.0.1")))
    assert local == []
    without_guard = {"CONNECTION_LOG": ""}
    _, lookup = watch.run(*remote_snippet("socket.getaddrinfo('example.invalid', 80)"), environment=without_guard)
    assert lookup


def test_what_stays_on_the_machine_is_allowed(tmp_path: Path) -> None:
    tracer = find_tracer(tmp_path)
    statement = """
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    socket.getaddrinfo("localhost", 80)
with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
    server.bind("socket")
    server.listen()
    client.connect("socket")
print("connected")
"""
    result, seen = Watch(tmp_path, None if isinstance(tracer, str) else tracer).run(*remote_snippet(statement))
    assert (result.stdout, seen) == ("connected\n", [])


@pytest.mark.parametrize("steps", [STEPS, pytest.param(DEMO, marks=pytest.mark.slow)], ids=["commands", "demo"])
def test_no_command_connects_to_another_machine(tmp_path: Path, steps: Sequence[Step]) -> None:
    tracer = find_tracer(tmp_path)
    watch = Watch(tmp_path, None if isinstance(tracer, str) else tracer)
    for genre in ("acoustic", "metal"):
        shutil.copytree(music() / genre, tmp_path / "music" / genre)
    shutil.copy(music() / "metadata.csv", tmp_path / "music")
    paths = {"music": tmp_path / "music", "new": sorted(unlabelled().glob("*.mp3"))[0]}

    connections, failures = [], []
    for step in steps:
        name = f"{step.command} {step.arguments}".strip()
        arguments = [word.format(**paths) for word in name.split()]
        command = [sys.executable, "-m", "sonotheque", "-L", step.library, *arguments]
        result, seen = watch.run(*command, environment=step.environment)
        connections += [f"{name}: {connection}" for connection in seen]
        if result.returncode != step.status:
            failures.append(f"{name}: exit status {result.returncode}, {result.stderr}")
    assert not connections, "\n".join(["these commands connect to another machine:", *connections])
    assert not failures, "\n".join(failures)
    if isinstance(tracer, str):
        pytest.skip(f"{NO_TRACER}; {tracer}. The guard in Python saw no connection.")


def test_onnx_runtime_reports_nothing(tmp_path: Path) -> None:
    """From 1.31 on it sends events some seconds after its import; it writes an identifier for them at once."""
    pytest.importorskip("onnxruntime")
    code = """
from sonotheque.embed.runtime_onnxruntime import OnnxRuntimeNetwork
from sonotheque.embed.weights import read_shipped
OnnxRuntimeNetwork(read_shipped("musicnn-msd.onnx"), output="tags", shape=[1, 187, 96], provider="CPUExecutionProvider")
"""
    tracer = find_tracer(tmp_path)
    watch = Watch(tmp_path, None if isinstance(tracer, str) else tracer)
    result, seen = watch.run(sys.executable, "-c", code)
    assert (result.returncode, result.stderr, seen) == (0, "", [])
    assert list((tmp_path / "home").iterdir()) == []

"""Users without a home folder, and folders that cannot be written: what `-L` names works, the rest says what to set."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

import sonotheque
from sonotheque import LibraryError, WeightsError, user_folders
from sonotheque.cli import cli
from sonotheque.demo import music
from sonotheque.embed.weights.fetch import find_cached
from sonotheque.embed.weights.openl3 import MODELS
from sonotheque.library import default_path

SETTINGS: tuple[str, ...] = (
    "HOME",
    "SONOTHEQUE_LIBRARY",
    "SONOTHEQUE_CACHE",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
)
SETTINGS += ("XDG_CONFIG_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "SONOTHEQUE_OPENL3_WEIGHTS")


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No home folder and no entry in the list of users; files for a time are in the returned folder."""

    def unknown_user(_: int) -> None:
        raise KeyError("no such user")

    for name in SETTINGS:
        monkeypatch.setenv(name, "x")  # so that it is restored even if it was not set
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown_user)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folders_without_a_home(no_home: Path) -> None:
    with pytest.raises(LibraryError, match="-L FOLDER or SONOTHEQUE_LIBRARY, or set HOME"):
        default_path()
    with pytest.raises(WeightsError, match="SONOTHEQUE_CACHE"):
        user_folders.cache_folder()
    assert find_cached(MODELS["openl3-music-mel256"]) is None
    assert list(user_folders.log_folders()) == [no_home / f"sonotheque-{os.geteuid()}"]


def test_commands_without_a_home_say_what_to_set(no_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(no_home)
    for arguments, variable in (
        (["status"], "SONOTHEQUE_LIBRARY"),
        (["similar", "x"], "SONOTHEQUE_LIBRARY"),
        (["demo"], "SONOTHEQUE_LIBRARY"),
        (["weights", "fetch"], "SONOTHEQUE_CACHE"),
        (["weights", "verify"], "SONOTHEQUE_CACHE"),
    ):
        result = CliRunner().invoke(cli, arguments)
        assert (result.exit_code, result.stdout) == (1, ""), arguments
        assert variable in result.stderr
    assert CliRunner().invoke(cli, ["weights", "list"]).exit_code == 0
    assert CliRunner().invoke(cli, ["-L", str(no_home / "library"), "status"]).exit_code == 1
    assert list(no_home.iterdir()) == []  # above all, no folder called "~"


def test_caches_of_other_packages(no_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_folders, "_is_package_writable", lambda _: False)
    user_folders.give_numba_a_cache()
    user_folders.give_matplotlib_a_cache()
    private = no_home / f"sonotheque-{os.geteuid()}"
    assert os.environ["NUMBA_CACHE_DIR"] == str(private / "numba")
    assert os.environ["MPLCONFIGDIR"] == str(private / "matplotlib")
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_temporary_folder_that_others_can_write_is_not_used(no_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_folders, "_is_package_writable", lambda _: False)
    shared = no_home / f"sonotheque-{os.geteuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    user_folders.give_numba_a_cache()
    assert not os.environ["NUMBA_CACHE_DIR"].startswith(str(shared))
    assert os.environ["NUMBA_CACHE_DIR"].startswith(str(no_home))


def test_caches_that_can_be_written_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_folders, "_is_package_writable", lambda _: True)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    user_folders.give_numba_a_cache()
    user_folders.give_matplotlib_a_cache()
    assert "NUMBA_CACHE_DIR" not in os.environ
    assert "MPLCONFIGDIR" not in os.environ


def test_no_folder_at_all(no_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/nowhere")
    monkeypatch.setattr(user_folders, "_is_package_writable", lambda _: False)
    with pytest.raises(LibraryError, match="set TMPDIR"):
        user_folders.give_numba_a_cache()


def python_for_everybody() -> str | None:
    """Return a Python of this version that any user can run, or None."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (os.path.realpath(sys.executable), f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if os.path.exists(program) and all(parent.stat().st_mode & 0o001 for parent in Path(program).resolve().parents):
            return program
    return None


@pytest.mark.slow
def test_a_user_without_home_and_name() -> None:
    """With the real thing: another user id, no entry in the list of users, nothing but the library can be written."""
    program, setpriv = python_for_everybody(), shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None or program is None:
        pytest.skip("needs root, setpriv and a Python that any user can run; the tests above stand in for it")
    folder = Path("/tmp") / f"sonotheque-test-{os.getpid()}"  # noqa: S108 - the folders of pytest are closed to others
    folder.mkdir()
    folder.chmod(0o777)
    packages = os.pathsep.join([str(Path(sonotheque.__file__).parent.parent), sysconfig.get_paths()["purelib"]])
    try:
        for arguments in (
            ["-L", "library", "add", str(music() / "ambient"), "--embedder", "musicnn", "--labels", "folder"],
            ["inspect", str(music() / "ambient" / "christian-hoffmann-intro.mp3"), "-o", "picture.png"],
        ):
            command = [setpriv, "--reuid", "12345", "--regid", "12345", "--clear-groups"]
            environment = ["env", "-i", "PATH=/usr/bin:/bin", "SONOTHEQUE_OFFLINE=1", f"PYTHONPATH={packages}"]
            result = subprocess.run(
                [*command, *environment, f"TMPDIR={folder}", program, "-m", "sonotheque", *arguments],
                capture_output=True,
                text=True,
                cwd=folder,
                check=False,
            )
            assert result.returncode == 0, result.stderr
            assert all(line.startswith(("note: ", "picture: ")) for line in result.stderr.splitlines()), result.stderr
        assert (folder / "library" / "library.sqlite").exists()
        assert (folder / "picture.png").exists()
        assert not (folder / "~").exists()
    finally:
        shutil.rmtree(folder)

"""Run every command on awkward inputs, and print a table of commands and cases.

    python bench/awkward_inputs.py [--models]

The cases are: libraries with few tracks, few genres, one artist, silence or one sound (``tests/few_tracks.py``); no home folder;
standard output in other encodings, in the locale C and on a full disk, with names beyond ASCII; numbers outside their range.
Each cell counts the runs with an answer and those with one line that says why there is none. A traceback, a warning or JSON that
is not valid is listed below the table, and the exit status is then 1. With ``--models``, every model and aggregation is run in the
cases of the first kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from few_tracks import (
    CASES,
    SOUNDS,
    Case,
    add_clips,
    all_commands,
    check_command,
    make_clips,
    make_library,
    quick_commands,
)

from sonotheque.cli import cli

NO_HOME = """
import pwd
def getpwuid(number):
    raise KeyError(number)
pwd.getpwuid = getpwuid
"""
"""A ``sitecustomize`` that forgets the list of users, as with ``setpriv --reuid 12345``."""

NUMBERS = ("nan", "inf", "1e400", "-1", "4294967296", str(10**30))

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "locale C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}

Cells = dict[tuple[str, str], Counter[str]]


class Table:
    """Counts the outcomes of runs for each command and case, and collects faults."""

    def __init__(self) -> None:
        self.cells: Cells = {}
        self.faults: list[str] = []

    def count(self, command: str, case: str, run: Callable[[], str]) -> None:
        """Run a command and count its outcome."""
        try:
            outcome = "answer" if run() == "ok" else "reason"
        except AssertionError as error:
            outcome = "FAULT"
            self.faults.append(f"{case}: {command}: {error}")
        self.cells.setdefault((command, case), Counter())[outcome] += 1

    def show(self) -> None:
        """Print one row for each command: the number of answers, and of reasons for none."""
        cases = list(dict.fromkeys(case for _, case in self.cells))
        print("answers + reasons", *cases, sep=" | ")
        for command in dict.fromkeys(command for command, _ in self.cells):
            row = [self.cells.get((command, case), Counter()) for case in cases]
            texts = [
                f"{cell['answer']}+{cell['reason']}" + (f" FAULTS {cell['FAULT']}" if cell["FAULT"] else "")
                if cell
                else "-"
                for cell in row
            ]
            print(command, *texts, sep=" | ")
        print(*self.faults, sep="\n")


def require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def run_process(arguments: Sequence[str], *, environment: Mapping[str, str], output: str | None = None) -> str:
    """Run a command in a process and return ``ok`` or its error. `output` is a file for standard output, or None to read it."""
    command = [sys.executable, "-m", "sonotheque", *arguments]
    target = open(output, "wb") if output else subprocess.PIPE  # noqa: SIM115
    result = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, env=dict(environment), check=False)
    if not isinstance(target, int):
        target.close()
    messages = result.stderr.decode("ascii", "backslashreplace")
    for sign in ("Traceback", "Warning", "unexpected"):
        require(sign not in messages, messages)
    require(result.returncode in {0, 1}, messages)
    if result.returncode == 0 and "--json" in arguments and output is None:
        json.loads(result.stdout)
    return "ok" if result.returncode == 0 else messages.splitlines()[-1]


def walk_numbers(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[list[str], str]]:
    """List the arguments of all commands with one number outside its range, and the name of the command."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from walk_numbers(child, (*path, name))
    required = ["x" for parameter in command.params if isinstance(parameter, click.Argument) and parameter.required]
    for parameter in command.params:
        allowed = parameter.type
        if isinstance(allowed, (click.IntRange, click.FloatRange)):
            for value in NUMBERS:
                number = float(value)
                if number != number or not (allowed.min or 0) <= number <= (allowed.max or 0):
                    yield [*path, *required, parameter.opts[-1], value], path[0]


def refuse_number(arguments: Sequence[str]) -> str:
    result = CliRunner().invoke(cli, arguments)
    require(result.exit_code == 2, f"{' '.join(arguments)}: exit status {result.exit_code}")
    return "refused"


def main() -> None:
    commands = all_commands if "--models" in sys.argv else quick_commands
    table = Table()
    os.environ["SONOTHEQUE_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clips = make_clips(folder / "clips")
        add_clips(folder / "all", clips)
        groups = {"0 or 1 track": (0, 1), "2 tracks": (2, 2), "3 tracks": (3, 3), "more tracks": (4, 99)}
        for number, (name, case) in enumerate(CASES.items()):
            column = case.sound
            if case.sound == SOUNDS[0]:
                column = next(text for text, (low, high) in groups.items() if low <= len(case.labels) <= high)
            library = make_library(folder / f"library-{number}", case, source=folder / "all", clips=clips)
            outputs = folder / f"outputs-{number}"
            outputs.mkdir()
            for command in commands(clips[case.sound][0], outputs):
                table.count(command[0], column, lambda: check_command(library, command))  # noqa: B023
            print(f"{name}: done", file=sys.stderr)

        names = folder / "nöë ♫"
        names.mkdir()
        renamed = {
            sound: [path.rename(names / f"日本 {sound} {path.name}") for path in paths]
            for sound, paths in clips.items()
        }
        add_clips(folder / "names", renamed)
        library = make_library(folder / "named", Case("PPPRRR"), source=folder / "names", clips=renamed)
        named = quick_commands(renamed["music"][0], names)
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(NO_HOME)
        path = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
        no_home = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG_")}
        runs: dict[str, tuple[Mapping[str, str], str | None]] = {
            "no home": ({**no_home, "PYTHONPATH": path, "TMPDIR": temporary}, None),
            **{name: ({**os.environ, **settings}, None) for name, settings in ENVIRONMENTS.items()},
            "/dev/full": (os.environ, "/dev/full"),
        }
        for column, (environment, output) in runs.items():
            for command in named:
                arguments = ["-L", str(library), *command, *(["--json"] if command[0] == "similar" else [])]
                table.count(
                    command[0],
                    column,
                    lambda: run_process(arguments, environment=environment, output=output),  # noqa: B023
                )
            print(f"{column}: done", file=sys.stderr)
    for arguments, command_name in walk_numbers(cli):
        table.count(command_name, "numbers", lambda: refuse_number(arguments))  # noqa: B023
    table.show()
    sys.exit(bool(table.faults))


if __name__ == "__main__":
    main()

"""Write docs/cli.md from the commands themselves; `make docs` runs it, and a test fails when it was forgotten."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli import cli

TARGET = Path(__file__).parent.parent / "docs" / "cli.md"

HEAD = """# Command reference

Generated from the program by `make docs`; change the help texts, not this page.

Results go to standard output, progress and notices to standard error. Every command that prints a result takes `--json`: one
JSON document and nothing else. Exit status: 0 done (also when some files failed: they are listed), 1 nothing could be done
or an input is unusable (one line says what and how to mend it), 2 wrong usage, 130 stopped with Ctrl-C.
"""


def reference() -> str:
    """Return the page."""
    context = click.Context(cli, info_name="sonotheque", terminal_width=100, **cli.context_settings)
    parts = [HEAD, _section(cli, context, "sonotheque")]
    for name in cli.list_commands(context):
        command = cli.commands[name]
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        parts.append(_section(command, inner, name))
        if isinstance(command, click.Group):
            for part in command.list_commands(inner):
                below = click.Context(command.commands[part], info_name=part, parent=inner, terminal_width=100)
                parts.append(_section(command.commands[part], below, f"{name} {part}"))
    return "\n".join(parts)


def _section(command: click.Command, context: click.Context, name: str) -> str:
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")

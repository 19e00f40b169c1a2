"""Generate docs/reference/cli.md from the help texts of the commands.

`make docs` runs this script. A test fails if the page is out of date.
"""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli import cli

OUTPUT = Path(__file__).parent.parent / "docs" / "reference" / "cli.md"

INTRODUCTION = """# Command reference

This page is generated from the help texts by `make docs`. Edit the help texts, not this page.

Results go to standard output; progress bars and messages go to standard error. Every command that prints a result has the option
`--json`, which prints [one JSON document](results-json.md) and nothing else.

| exit status | meaning |
|---|---|
| 0 | success, even if some files failed: they are listed |
| 1 | nothing could be done, or an input is unusable; one line says what is wrong and how to fix it |
| 2 | wrong usage |
| 130 | interrupted with Ctrl-C |
"""


def render_reference() -> str:
    """Return the page as Markdown."""
    context = click.Context(cli, info_name="sonotheque", terminal_width=100, **cli.context_settings)
    sections = [INTRODUCTION, _render_command(cli, context, "sonotheque")]
    for name in cli.list_commands(context):
        command = cli.commands[name]
        command_context = click.Context(command, info_name=name, parent=context, terminal_width=100)
        sections.append(_render_command(command, command_context, name))
        if isinstance(command, click.Group):
            for subname in command.list_commands(command_context):
                subcommand = command.commands[subname]
                subcontext = click.Context(subcommand, info_name=subname, parent=command_context, terminal_width=100)
                sections.append(_render_command(subcommand, subcontext, f"{name} {subname}"))
    return "\n".join(sections)


def _render_command(command: click.Command, context: click.Context, name: str) -> str:
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    OUTPUT.write_text(render_reference(), encoding="utf-8")

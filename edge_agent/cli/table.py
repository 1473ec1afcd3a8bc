"""Tables as text, JSON or CSV, from frozen dataclasses."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from io import StringIO
from typing import Any

import click

#: Control characters that JSON itself leaves as they are.
_ESCAPES = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def output_options(command: Any) -> Any:
    """Add `--json` and `--csv` to a command that prints a table."""
    command = click.option("--json", "form", flag_value="json", help="Print JSON.")(command)
    return click.option("--csv", "form", flag_value="csv", help="Print CSV.")(command)


def show(rows: Sequence[Any], kind: type[Any], form: str | None) -> None:
    """Print `rows`, dataclasses of one `kind`, as a table, or as JSON or CSV."""
    names = [field.name for field in fields(kind)]
    if form == "json":
        click.echo(as_json([asdict(row) for row in rows]))
        return
    cells = [[_cell(getattr(row, name)) for name in names] for row in rows]
    if form == "csv":
        text = StringIO()  # echo knows how to print every name, whatever the locale
        csv.writer(text, lineterminator="\n").writerows([names, *cells])
        click.echo(text.getvalue(), nl=False)
        return
    for line in lines([name.replace("_", " ") for name in names], cells):
        click.echo(line)


def as_json(value: Any) -> str:
    """JSON for a file or a screen: what a terminal could take for an order is escaped."""
    return json.dumps(value, indent=1, ensure_ascii=False).translate(_ESCAPES)


def plain(text: str) -> str:
    """`text` on one line, and nothing in it that steers a screen: entries hold any characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def lines(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    rule = ["-" * width for width in widths]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, rule, *cells)
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, tuple | list):
        return " ".join(map(_cell, value))
    return plain(str(value))

"""Keys of a TOML file set in place: every other byte stays, comments and line ends included.

It knows lines and not the language: a table with a header of its own, one key a line, the value on
the same line. Whoever writes the result must load it and see that it says what was meant; a text
over several lines that looks like a header is such a case.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]#]+?)\s*\]{1,2}\s*(?:#.*)?\s*")
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#]+)"""

_END = r"(?P<gap>[ \t]*)(?P<comment>(?:#[^\r\n]*)?)(?P<end>\s*)"


def put(text: str, table: str, values: Mapping[str, str], *, wake: bool = False) -> str:
    """`text` with `values`, written as TOML, in `table`; "" is the top of the file.

    A key that is there keeps its place and its comment; with `wake` so does one that is there as a
    comment. Any other follows the last one that was set. Raises LookupError if there is no such
    table.
    """
    lines = _lines(text)
    start, end = _region(lines, table)
    last = start - 1
    for key, value in values.items():
        rest = rf"""(?P<key>(?:{key}|"{key}"|'{key}')\s*=\s*){_VALUE}{_END}"""
        places = [re.compile(r"(?P<indent>\s*)" + rest)]
        places += [re.compile(r"(?P<indent>)#\s*" + rest)] if wake else []
        found = next(_matches(lines[start:end], places), None)
        if found:
            at, match = found
            last = start + at
            lines[last] = _set(match, value)
        else:
            last += 1
            _insert(lines, last, f"{key} = {value}")
            end += 1
    return "".join(lines)


def replace(text: str, table: str, block: Sequence[str]) -> str:
    """`text` with the first `table`, header and all, replaced by the lines of `block`.

    Empty lines after it stay. Raises LookupError if there is no such table.
    """
    lines = _lines(text)
    start, end = _region(lines, table)
    while not lines[end - 1].strip():
        end -= 1
    return "".join([*lines[: start - 1], *(f"{line}\n" for line in block), *lines[end:]])


def table(text: str, name: str) -> list[str]:
    """The lines of `name`, header and all, without line ends. Raises LookupError."""
    lines = _lines(text)
    start, end = _region(lines, name)
    return "".join(lines[start - 1 : end]).rstrip().splitlines()


def _lines(text: str) -> list[str]:
    """With their ends; only LF ends a line, as in TOML."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _matches(
    lines: Sequence[str], places: Sequence[re.Pattern[str]]
) -> Iterator[tuple[int, re.Match[str]]]:
    """Where the lines match, those of the first expression first."""
    for place in places:
        yield from (
            (at, match) for at, line in enumerate(lines) if (match := place.fullmatch(line))
        )


def _set(match: re.Match[str], value: str) -> str:
    """The line with another value; its comment stays in its column if there is room."""
    now = match["indent"] + match["key"] + value
    if match["comment"]:
        now = f"{now:<{match.start('comment') - 1}} {match['comment']}"
    else:
        now += match["gap"]
    return now + match["end"]


def _region(lines: Sequence[str], table: str) -> tuple[int, int]:
    """The lines of a table, from the one after its header to the one before the next header."""
    start = 0 if table == "" else None
    for at, line in enumerate(lines):
        header = _HEADER.fullmatch(line)
        if header and start is not None:
            return start, at
        if header and header[1].strip("\"'") == table:
            start = at + 1
    if start is None:
        raise LookupError(table)
    return start, len(lines)


def _insert(lines: list[str], at: int, line: str) -> None:
    """A line with the end that the one before has; the last line of a file may have none."""
    if at == 0:
        lines.insert(0, f"{line}\n")
        return
    before = lines[at - 1]
    end = "\r\n" if any(one.endswith("\r\n") for one in lines) else "\n"
    if before.endswith("\n"):
        lines.insert(at, line + end)
    else:
        lines[at - 1] = before + end
        lines.insert(at, line)

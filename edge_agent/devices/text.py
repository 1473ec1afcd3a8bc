"""Readers that print one credential a line: USB serial, CH340, RS232.

Usually 9600 baud, 8N1. The reader talks by itself. A line ends with CR, LF, CR LF or ETX; STX
before it is dropped.

    30 30 31 33 35 33 30 34 34 34 0D 0A          0013530444, ended by CR LF

There is no checksum, so only what a credential can look like is taken: 4 to 64 ASCII letters,
digits and ",:_-". Everything else is counted and dropped.
"""

import re
from collections.abc import Iterator

from edge_agent.records import Counts, Scan

MAX_LINE = 64
_END = re.compile(rb"[\r\n\x03]")
_LINE = re.compile(rb"\x02?([0-9A-Za-z,:_-]{4,64})")


class TextDecoder:
    """A line -> Scan. Holds at most `MAX_LINE` + 1 bytes between two calls."""

    def __init__(self, technology: str) -> None:
        self._technology = technology
        self._line = b""
        self._overflowing = False
        self._noise = 0
        self._rejected = 0

    @property
    def counts(self) -> Counts:
        """`noise` counts bytes of overlong or cut lines, `rejected` lines that no credential is."""
        return Counts(self._noise, self._rejected)

    def feed(self, data: bytes) -> Iterator[Scan]:
        *ended, rest = _END.split(data)
        for part in ended:
            self._extend(part)
            yield from self._finish()
        self._extend(rest)

    def restart(self) -> None:
        self._noise += len(self._line)
        self._line, self._overflowing = b"", False

    def _extend(self, part: bytes) -> None:
        self._line += part
        if len(self._line) > MAX_LINE + 1:  # one more for an STX
            self._overflowing = True
        if self._overflowing:
            self._noise += len(self._line)
            self._line = b""

    def _finish(self) -> Iterator[Scan]:
        line, self._line = self._line, b""
        overflowed, self._overflowing = self._overflowing, False
        found = _LINE.fullmatch(line)
        if found and not overflowed:
            yield Scan(self._technology, found[1].decode("ascii"))
        elif line or overflowed:
            self._rejected += 1

"""The lines of a modem that is asked by AT commands (ITU-T V.250, 3GPP TS 27.007).

A command is `AT...` and CR. Each line of an answer stands between CR LF and CR LF, and the last one
says how it ended:

    0D 0A  2B 43 53 51 3A 20 32 30 2C 39 39  0D 0A     +CSQ: 20,99
    0D 0A  4F 4B                             0D 0A     OK

There is no checksum and no frame: a modem may say something that nobody asked for (a URC) between
any two lines, and echoes what it is told until it hears ATE0. So a line is believed only if it is
printable ASCII from end to end, and not too long to be an answer to what is asked here.
"""

import re
from collections.abc import Iterator

#: Longer than any line that answers what `modem` asks; a list of networks is longer.
LONGEST = 200

_END = re.compile(rb"[\r\n]")
_PRINTABLE = re.compile(rb"[\x20-\x7e]+")


class AtFramer:
    """Bytes -> lines, without their ends and the blanks around them; empty ones are dropped.

    `noise` counts bytes of overlong and of cut lines, `rejected` lines that are no text.
    """

    def __init__(self) -> None:
        self.noise = 0
        self.rejected = 0
        self._line = b""
        self._overflowing = False

    def feed(self, data: bytes) -> Iterator[str]:
        *ended, rest = _END.split(data)
        for part in ended:
            self._extend(part)
            yield from self._finish()
        self._extend(rest)

    def flush(self) -> Iterator[str]:
        """Half a line is none, whatever stands in it: half a number is another number."""
        self.restart()
        return iter(())

    def restart(self) -> None:
        self.noise += len(self._line)
        self._line, self._overflowing = b"", False

    def _extend(self, part: bytes) -> None:
        self._line += part
        self._overflowing |= len(self._line) > LONGEST
        if self._overflowing:
            self.noise += len(self._line)
            self._line = b""

    def _finish(self) -> Iterator[str]:
        line, self._line = self._line, b""
        overflowed, self._overflowing = self._overflowing, False
        if overflowed or (line and not _PRINTABLE.fullmatch(line)):
            self.rejected += 1
        elif text := line.decode("ascii").strip():
            yield text

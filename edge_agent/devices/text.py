"""Readers that print one credential a line: USB serial, CH340, RS232.

Usually 9600 baud, 8N1. The reader talks by itself. A line ends with CR, LF, CR LF or ETX, at some
readers only with silence; STX before it is dropped.

    30 30 31 33 35 33 30 34 34 34 0D 0A          0013530444, ended by CR LF

How the credential is written is the profile's to say: see `profile.Text` and `devices.formats`. If
it says nothing, a line is a credential as it stands, if it looks like one: 4 to 64 ASCII letters,
digits and ",:_-". There is no checksum; everything else is counted and dropped. Half a line is
another number, so one that does not go on for a second is dropped, too.

Source: readers of several makers as described in public projects; there is no common data sheet.
"""

import re
from collections.abc import Iterator

from edge_agent.devices.decoder import Decoder
from edge_agent.devices.formats import Spelling
from edge_agent.profile import Text
from edge_agent.records import Counts, Scan

#: Half a line that has not gone on for so long never will.
STALE_MS = 1000
#: What comes so soon after the port was opened is the rest of a line that was under way.
_OPENING_MS = 20
_END = re.compile(rb"[\r\n\x03]")
_STX = b"\x02"
_PLAIN = Text()
_USUAL = r"[0-9A-Za-z,:_-]{4,}"


class TextDecoder(Decoder[Scan]):
    """A line -> Scan. Holds at most `settings.longest` + 1 bytes between two calls."""

    def __init__(self, technology: str, settings: Text = _PLAIN) -> None:
        self._technology = technology
        self._spelling = Spelling(technology, settings, _USUAL)
        self._most = settings.longest + len(_STX)
        self._end_ms = settings.end_ms
        self._line = b""
        self._overflowing = False
        self._heard_ms = 0
        self._opened_ms: int | None = None
        self._fresh = False
        self._noise = 0
        self._rejected = 0

    @property
    def counts(self) -> Counts:
        """`noise` counts bytes of overlong or cut lines, `rejected` lines that no credential is."""
        return Counts(self._noise, self._rejected)

    @property
    def wake_ms(self) -> int | None:
        if not self._line and not self._overflowing:
            return None
        return self._heard_ms + (self._end_ms or STALE_MS)

    def poll(self, now_ms: int) -> bytes:
        if self._fresh:
            self._fresh, self._opened_ms = False, now_ms
        return b""

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Scan]:
        if not data:
            yield from self._silent(now_ms)
            return
        if now_ms - self._heard_ms >= STALE_MS:
            # Nobody saw the silence, the line may have been cut anywhere: not a credential.
            self._drop()
        self._heard_ms = now_ms
        data = self._without_rest(data, now_ms)
        *ended, rest = _END.split(data)
        for part in ended:
            self._extend(part)
            yield from self._finish()
        self._extend(rest)

    def restart(self) -> None:
        self._drop()
        self._fresh, self._opened_ms = True, None

    def _drop(self) -> None:
        self._noise += len(self._line)
        self._line, self._overflowing = b"", False

    def _without_rest(self, data: bytes, now_ms: int) -> bytes:
        """The bytes without the end of a line that was under way when the port was opened.

        Half a number may be the whole number of somebody else.
        """
        opened_ms, self._opened_ms = self._opened_ms, None
        if opened_ms is None or now_ms - opened_ms >= _OPENING_MS:
            return data
        end = _END.search(data)
        if end is None:
            self._opened_ms = now_ms
        rest = len(data) if end is None else end.end()
        self._noise += rest
        return data[rest:]

    def _silent(self, now_ms: int) -> Iterator[Scan]:
        if self.wake_ms is None or now_ms < self.wake_ms:
            return
        if self._end_ms:
            yield from self._finish()
        else:
            self._drop()

    def _extend(self, part: bytes) -> None:
        self._line += part
        if len(self._line) > self._most:
            self._overflowing = True
        if self._overflowing:
            self._noise += len(self._line)
            self._line = b""

    def _finish(self) -> Iterator[Scan]:
        line, self._line = self._line, b""
        overflowed, self._overflowing = self._overflowing, False
        text = line.removeprefix(_STX).decode("latin-1")  # any byte is a character of its own
        value = None if overflowed else self._spelling.value(text)
        if value is not None:
            yield Scan(self._technology, value)
        elif line or overflowed:
            self._rejected += 1

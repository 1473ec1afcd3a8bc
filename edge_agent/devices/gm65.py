"""QR and barcode modules of GROW: GM65, GM66, GM861, GM861S and kin.

9600 baud, 8N1. The module talks by itself when it sees a code, and answers commands.

    38 37 31 31 32 31 38 39 37 32 38 37 35 0D     line mode: the code and CR (or CR LF)
    5D 45 30 38 37 31 31 ... 0D                   the same behind its AIM identifier, ]E0
    03 00 0A 30 33 32 31 35 36 33 38 34 30        protocol mode: 03 00, length, the code
    02 00 | status | len | data | CRC hi lo       answer to a command:  02 00 00 01 00 33 31
    03 00 | 00     | len | data | CRC hi lo       answer to a heartbeat

The CRC is CRC-16/XMODEM over status .. data; AB CD in its place is not checked. An answer is binary
and stands wherever it fell, before a code or in the middle of it, and may hold 0D: it is cut out
before lines are looked for. One whose CRC is wrong stays where it is, and what binary stands in is
no code: a line with control characters other than TAB and the four separators (1C to 1F, which
GS1 codes have) is dropped. Neither line nor protocol frame has a checksum of its own.

A code is UTF-8, else latin-1. Control characters and an AIM identifier in front are dropped.

A code cannot hold a line end: several lines in one QR code are no credential. A *damaged* answer
that holds 0D or 0A cannot be told from noise, a line end and a line. Of the answers known only a
dump of all settings holds one, and the agent never asks for it.

Sources: Tasmota xsns_107_gm861 (frames, CRC); GM65 user manual 1.3.
"""

import re
from binascii import crc_hqx
from collections.abc import Iterator

from edge_agent.devices.decoder import Decoder
from edge_agent.devices.formats import Spelling
from edge_agent.profile import Text
from edge_agent.records import Counts, Scan

#: Half an answer, or half a protocol frame, that has not gone on for so long never will.
SILENCE_MS = 100
#: Half a line waits longer: it holds nothing up, and a busy machine may be the reason.
STALE_MS = 1000

_HEAD = re.compile(rb"(?s)(?:\x02\x00.|\x03\x00\x00)(.)")
_HALF_A_HEAD = re.compile(rb"(?s)\x02(?:\x00.?)?|\x03(?:\x00\x00?)?")
_UNCHECKED = b"\xab\xcd"
_BINARY = re.compile(rb"[\x00-\x08\x0a-\x1b]")
_ENDS = b"\r\n"
_FRAME_OF_TEXT = re.compile(rb"[^\x00-\x08\x0a-\x1b]*[\r\n]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]")
_AIM = re.compile(r"\A\][A-Za-z][0-9A-Za-z]")
_USUAL = r"(?s).+"
_PLAIN = Text(longest=512)


class Gm65Decoder(Decoder[Scan]):
    """Lines and protocol frames -> Scan; answers are swallowed.

    Holds at most four bytes for each of `settings.longest` characters, and an answer.
    """

    def __init__(self, technology: str = "qr", settings: Text = _PLAIN) -> None:
        self._technology = technology
        self._spelling = Spelling(technology, settings, _USUAL)
        self._most = 4 * settings.longest + 8  # UTF-8, and room for an AIM identifier and blanks
        self._end_ms = settings.end_ms
        self._raw = b""  # begins with what may be an answer
        self._text = b""  # holds none any more
        self._at = 0  # up to here `_text` is a line without an end
        self._spoilt = False  # the rest of this line is no code
        self._heard_ms = 0
        self._noise = 0
        self._rejected = 0

    @property
    def counts(self) -> Counts:
        """`noise` counts bytes outside of codes and answers, `rejected` what does not add up.

        That is answers with a wrong CRC, and lines and frames that are no code.
        """
        return Counts(self._noise, self._rejected)

    @property
    def wake_ms(self) -> int | None:
        if not self._raw and not self._text and not self._spoilt:
            return None
        half_a_line = not self._raw and not self._spoilt and self._at == len(self._text)
        return self._heard_ms + ((self._end_ms or STALE_MS) if half_a_line else SILENCE_MS)

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Scan]:
        if not data:
            if self.wake_ms is not None and now_ms >= self.wake_ms:
                yield from self._give_up(ended=self._end_ms > 0)
            return
        if now_ms - self._heard_ms >= STALE_MS:
            yield from self._give_up(ended=False)  # nobody saw the silence
        self._heard_ms = now_ms
        self._raw += data
        self._cut_answers(final=False)
        yield from self._codes(final=False)

    def restart(self) -> None:
        self._noise += len(self._raw) + len(self._text)
        self._raw, self._text, self._at, self._spoilt = b"", b"", 0, False

    def _give_up(self, *, ended: bool) -> Iterator[Scan]:
        """It has been silent: nothing that is half there is waited for; `ended`: nor is a line."""
        self._cut_answers(final=True)
        yield from self._codes(final=True)
        if ended:
            line, self._text = self._text, b""
            yield from self._code(line)
        self.restart()

    def _cut_answers(self, *, final: bool) -> None:
        """Move to the text what is no answer; stop before one of which more may come."""
        while self._raw:
            starts = [at for at in (self._raw.find(b"\x02"), self._raw.find(b"\x03")) if at >= 0]
            self._pass_on(min(starts, default=len(self._raw)))
            size = _answer(self._raw) if self._raw else None
            if size is None and not final:
                return
            if size and _adds_up(self._raw[:size]):
                self._raw = self._raw[size:]
            else:
                self._rejected += bool(size)
                self._pass_on(1)

    def _pass_on(self, count: int) -> None:
        self._text += self._raw[:count]
        self._raw = self._raw[count:]

    def _codes(self, *, final: bool) -> Iterator[Scan]:
        """Take codes off the text, as far as it goes."""
        while True:
            found = _BINARY.search(self._text, self._at)
            self._at = found.start() if found else len(self._text)
            if self._at > self._most or self._spoilt:
                self._spoil(self._at)
            if not found:
                return
            if found[0] in _ENDS:
                yield from self._line()
                continue
            size = self._sized(final=final)
            if size is None:
                return
            if size:
                yield from self._frame(size)
            else:
                self._spoil(self._at + 1)

    def _sized(self, *, final: bool) -> int | None:
        """Length of the frame here; 0 if there is none, None if what comes next must tell.

        In a line that is spoilt, a frame is believed if it ends where text does not go on.
        """
        size = _frame(self._text[self._at :])
        if not size:
            return 0 if final else size
        behind = self._text[self._at + size :]
        if not self._spoilt or _BINARY.match(behind):
            return size
        return 0 if behind else size if final else None

    def _spoil(self, count: int) -> None:
        self._noise += count
        self._text, self._at, self._spoilt = self._text[count:], 0, True

    def _line(self) -> Iterator[Scan]:
        line, self._text = self._text[: self._at], self._text[self._at + 1 :]
        spoilt, self._spoilt, self._at = self._spoilt, False, 0
        if spoilt:
            self._rejected += 1
        else:
            yield from self._code(line)

    def _frame(self, size: int) -> Iterator[Scan]:
        """A protocol frame; a line that it cuts short never was one."""
        frame = self._text[self._at : self._at + size]
        self._noise += self._at
        self._text, self._at = self._text[self._at + size :], 0
        yield from self._code(frame[3:])

    def _code(self, data: bytes) -> Iterator[Scan]:
        text = _AIM.sub("", _CONTROLS.sub("", _decoded(data)).strip()).strip()
        value = self._spelling.value(text)
        if value is not None:
            yield Scan(self._technology, value)
        elif text:
            self._rejected += 1


def _answer(data: bytes) -> int | None:
    """Length of the answer that `data` begins with; 0 if none, None if more of it must come."""
    head = _HEAD.match(data)
    if head is None:
        return None if _HALF_A_HEAD.fullmatch(data) else 0
    size = len(head[0]) + head[1][0] + 2
    return size if len(data) >= size else None


def _adds_up(answer: bytes) -> bool:
    check = crc_hqx(answer[2:-2], 0).to_bytes(2, "big")
    return answer[-2:] in (check, _UNCHECKED)


def _frame(data: bytes) -> int | None:
    """Length of the protocol frame that `data` begins with; 0 and None as for `_answer`."""
    if len(data) < 3:
        return None if b"\x03\x00".startswith(data) else 0
    size = 3 + data[2]
    if data[:2] != b"\x03\x00" or size == 3 or not _FRAME_OF_TEXT.fullmatch(data[3:size]):
        return 0
    return size if len(data) >= size else None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")

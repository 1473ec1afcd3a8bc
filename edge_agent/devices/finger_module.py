"""What a fingerprint module can be asked: ZFM-20, R305, R307, AS608, R503 and kin.

57600 baud, 8N1; packets in `ef01`. The module only answers, one command at a time, with a
confirmation code: 00 done, 02 no finger, 09 not found.

    GenImg 01               -> 00 | 02              take an image
    Img2Tz 02 01            -> 00 | 06 07 15        its features into buffer 1
    Search 04 01 0000 00C8  -> 00 0011 006F         buffer 1 is in slot 17 with score 111
    RegModel 05             -> 00 | 0A              combine buffers 1 and 2 into a template
    Store 06 01 0011        -> 00                   buffer 1 into slot 17
    ReadSysPara 0F          -> 00 and 16 bytes      status, system, capacity, security, ...
    VfyPwd 13 00000000      -> 00 | 13
    TempleteNum 1D          -> 00 0002              slots in use
    ReadIndexTable 1F 00    -> 00 and 32 bytes      bit k of byte j is slot 8 j + k of 256
    AuraLedConfig 35        -> 00                   the R503's light; on others 35 is a handshake

Acknowledgements do not say what they answer, so each is also held to its length: one that comes too
late is not taken for another. No command that reads a template out is known here.

Sources: GROW R503 manual V1.4.1; ZFM-20 manual; logs of an LD module (2021-12-16) and an R311.
"""

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from edge_agent import profile
from edge_agent.devices import ef01
from edge_agent.devices.conversation import Ask, Talk, TalkError
from edge_agent.devices.ef01 import Ack
from edge_agent.records import Library, Scan

_GEN_IMG, _IMG2TZ, _SEARCH, _REG_MODEL, _STORE = 0x01, 0x02, 0x04, 0x05, 0x06
_READ_SYS_PARA, _VFY_PWD, _TEMPLETE_NUM, _READ_INDEX_TABLE = 0x0F, 0x13, 0x1D, 0x1F

_OK, _NO_FINGER, _MISMATCH = 0x00, 0x02, 0x0A
_NOT_FOUND = frozenset({0x09, 0x24})  # Synochip modules say 24 of an empty library
_WRONG_PASSWORD, _VERIFY_FIRST = 0x13, 0x21
_IMAGE_FAULTS = {
    0x03: "image failed",
    0x04: "finger too dry",
    0x05: "finger too wet",
    0x06: "image too messy",
    0x07: "too few features",
    0x15: "no image",
    0x17: "finger not moved",
}
#: Some modules announce that they woke up with a packet of their own.
_SELF_WAKE = 0xFF

_PAGE = 256
_ANSWER_MS = 1000
_SLOW_MS = 3000
_LIGHT_MS = 300
#: A module that has just got power may miss the first command.
_FIRST_MS = 500


class FingerModule:
    """The commands as parts of a talk. Each raises TalkError if the module answers otherwise."""

    def __init__(self, settings: profile.Fingerprint) -> None:
        self.address = bytes.fromhex(settings.address)
        self._settings = settings
        self._capacity = settings.capacity

    def introduce(self) -> Talk:
        """Password and, unless the profile says it, capacity."""
        reply = yield self._command(_VFY_PWD, bytes.fromhex(self._settings.password), _FIRST_MS)
        if reply.code == _WRONG_PASSWORD:
            raise TalkError("it wants another password: set fingerprint.password in its profile")
        _require(reply, _VFY_PWD)
        if not self._settings.capacity:
            self._capacity = yield from self._ask_capacity()

    def _ask_capacity(self) -> Generator[Any, Any, int]:
        """Some clones do not know the question; then the profile must say it."""
        try:
            reply = yield self._command(_READ_SYS_PARA, size=16)
            _require(reply, _READ_SYS_PARA)
        except TalkError as error:
            hint = "if that stays so, set fingerprint.capacity in its profile"
            raise TalkError(f"it does not say its capacity: {error}; {hint}") from None
        return int.from_bytes(reply.data[4:6])

    def ask_library(self) -> Generator[Any, Any, Library]:
        """What the module holds."""
        reply = yield self._command(_TEMPLETE_NUM, size=2)
        _require(reply, _TEMPLETE_NUM)
        count = int.from_bytes(reply.data)
        if not self._settings.index_table:
            return Library(self._capacity, count, None)
        table = b""
        for page in range(-(-self._capacity // _PAGE)):
            reply = yield self._command(_READ_INDEX_TABLE, bytes([page]), size=_PAGE // 8)
            if reply.code != _OK:  # an older one does not know the question
                return Library(self._capacity, count, None)
            table += reply.data
        slots = (slot for slot in range(self._capacity) if table[slot // 8] >> slot % 8 & 1)
        return Library(self._capacity, count, tuple(slots))

    def finger(self) -> Generator[Any, Any, bool]:
        """Take an image: is there a finger, whether or not the image is good?"""
        reply = yield self._command(_GEN_IMG)
        if reply.code not in {_OK, _NO_FINGER, *_IMAGE_FAULTS}:
            _require(reply, _GEN_IMG)
        return bool(reply.code != _NO_FINGER)

    def features(self, buffer: int) -> Generator[Any, Any, str]:
        """The image's features into `buffer`, 1 or 2; gives what is wrong with the image, or ""."""
        reply = yield self._command(_IMG2TZ, bytes([buffer]))
        if reply.code in _IMAGE_FAULTS:
            return _IMAGE_FAULTS[reply.code]
        _require(reply, _IMG2TZ)
        return ""

    def search(self) -> Generator[Any, Any, Scan | None]:
        """Buffer 1 among all templates."""
        where = bytes([1, 0, 0]) + self._capacity.to_bytes(2)
        reply = yield self._command(_SEARCH, where, _SLOW_MS, size=4)
        if reply.code in _NOT_FOUND:
            return None
        _require(reply, _SEARCH)
        slot, score = int.from_bytes(reply.data[:2]), int.from_bytes(reply.data[2:4])
        if slot >= self._capacity:
            raise TalkError(f"it found slot {slot} of {self._capacity}")
        return Scan("finger", str(slot), slot=slot, score=score)

    def combine(self) -> Generator[Any, Any, bool]:
        """Buffers 1 and 2 into a template; False if they are not of one finger."""
        reply = yield self._command(_REG_MODEL)
        if reply.code == _MISMATCH:
            return False
        _require(reply, _REG_MODEL)
        return True

    def store(self, slot: int) -> Talk:
        """The template into `slot`, over what is there."""
        reply = yield self._command(_STORE, bytes([1]) + slot.to_bytes(2), _SLOW_MS)
        _require(reply, _STORE)

    def light(self, content: bytes) -> Talk:
        """A command for the module's light; see `ring`. A light that fails stops no work."""
        with suppress(TalkError):
            yield Ask(ef01.command(content, self.address), _LIGHT_MS, _is_any)

    def _command(
        self, code: int, data: bytes = b"", wait_ms: int = _ANSWER_MS, size: int = 0
    ) -> Ask[Ack]:
        """A command, and what may answer it: success with `size` bytes, or any refusal."""
        return Ask(
            ef01.command(bytes([code]) + data, self.address),
            wait_ms,
            lambda ack: len(ack.data) == size if ack.code == _OK else ack.code != _SELF_WAKE,
        )


def _is_any(_: Ack) -> bool:
    return True


def _require(reply: Ack, code: int) -> None:
    if reply.code == _VERIFY_FIRST:
        raise TalkError("it wants its password first")
    if reply.code != _OK:
        raise TalkError(f"it answered {reply.code:02X} to command {code:02X}")

"""NXP's PN532 on its serial interface (HSU): ISO 14443 cards of type A and B, 13.56 MHz.

115200 baud, 8N1. The chip only answers. Each command is acknowledged within 15 ms and answered when
it is done; one command runs at a time. After power-on, and after silence, the chip sleeps until it
is woken. Frames: `hsu`.

    55 55 00 * 14, SAMConfiguration 14 01 00 01    wake, normal mode               -> 15
    GetFirmwareVersion 02                          which chip                      -> 03 32 01 06 07
    RFConfiguration 32 05 FF 01 NN                 give up looking after NN tries  -> 33
    InListPassiveTarget 4A 01 00                   one card of type A              -> 4B n ...
    InListPassiveTarget 4A 01 03 00                one of type B, any family       -> 4B n ...
    RFConfiguration 32 01 00                       field off, so that it is seen again

    4B 01 | 01  00 44  00  07  04 16 C6 C2 D7 38 81     one card: Tg, SENS_RES, SEL_RES, UID
    4B 01 | 01  03 44  20  07  04 73 68 A2 C7 22 80  06 75 77 81 02 80      the same with an ATS
    4B 01 | 01  50 E8 25 3E EC 00 00 00 11 00 81 85  01 00      type B: Tg, ATQB, ATTRIB_RES

By default the chip looks for a card for ever and answers nothing meanwhile, hence RFConfiguration.
Sources: UM0701-02 sections 7.2.2, 7.2.10, 7.3.1, 7.3.5; ISO 14443-3 6.5 and -4 5.2; nfcpy's tests.
"""

from collections.abc import Generator
from typing import Any

from edge_agent import profile
from edge_agent.devices import hsu
from edge_agent.devices.conversation import Ask, Conversation, Pause, Talk, TalkError
from edge_agent.devices.field import Field
from edge_agent.devices.hsu import Frame, HsuFramer, Kind
from edge_agent.records import Condition, Scan

#: An acknowledgement from the host ends what the chip may still be doing for an earlier one.
_ABORT = bytes.fromhex("0000FF00FF00")
_WAKE = b"\x55\x55" + bytes(14)

_GET_FIRMWARE_VERSION = 0x02
_SAM_CONFIGURATION = 0x14
_RF_CONFIGURATION = 0x32
_IN_LIST_PASSIVE_TARGET = 0x4A

_NORMAL_MODE = bytes([0x01, 0x00, 0x01])
#: Retries of ATR and PSL, which are not used, and of the search for a card: about 5 ms each.
_MAX_RETRIES = bytes([0x05, 0xFF, 0x01, 0x02])
_FIELD_OFF = bytes([0x01, 0x00])
_PN532 = 0x32

_ACK_MS = 150
_ANSWER_MS = 1000
#: The first answer through a USB adapter may be this late.
_FIRST_MS = 500

_UID_LENGTHS = (4, 7, 10)
#: ISO 14443-3 6.5.4: a UID of four bytes that begins so is drawn anew for each activation.
_RANDOM = 0x08
_ISO_14443_4 = 0x20
_CLASSIC = 0x08
#: Historical bytes of Indonesian identity cards begin so (pcsc-tools, smartcard_list.txt).
_EKTP = (b"eKTP", b"P308G0P3_", b"079141_")
_DESFIRE = bytes.fromhex("067577810280")


class Pn532Decoder(Conversation[Frame, Scan]):
    """A PN532 -> Scan, once for each card that comes into the field.

    A card is gone when it was not seen `misses` times in a row; of two that are held together the
    chip finds now the one and now the other. While the field has never been seen empty, a number
    that changes by itself is the same card still.
    """

    def __init__(self, settings: profile.Pn532) -> None:
        super().__init__(HsuFramer(), self._converse)
        self._settings = settings
        self._field = Field(settings.misses)

    def _converse(self) -> Talk:
        yield from _introduce()
        yield Condition("")
        while True:
            asked = []
            for technology, kind, read in _KINDS:
                answer = yield from _call(_IN_LIST_PASSIVE_TARGET, kind)
                scan = read(answer) if answer[:1] == b"\x01" else None
                asked.append(technology)
                if scan is not None:
                    break
            is_new = self._field.look(scan, asked, self._now_ms)
            if scan is not None:
                if is_new:
                    yield scan
                yield from _call(_RF_CONFIGURATION, _FIELD_OFF)
            yield Pause(self._settings.poll_ms)


def _introduce() -> Talk:
    yield from _call(_SAM_CONFIGURATION, _NORMAL_MODE, _ABORT + _WAKE, _FIRST_MS)
    version = yield from _call(_GET_FIRMWARE_VERSION)
    if version[:1] != bytes([_PN532]):
        raise TalkError(f"it is no PN532: firmware version {version.hex().upper()}")
    yield from _call(_RF_CONFIGURATION, _MAX_RETRIES)
    # A card that was found just before an interruption would not answer a second time.
    yield from _call(_RF_CONFIGURATION, _FIELD_OFF)


def _call(
    code: int, data: bytes = b"", ahead: bytes = b"", ack_ms: int = _ACK_MS
) -> Generator[Any, Any, bytes]:
    """Ask, see it acknowledged, and give the data of the answer. Raises TalkError."""
    heard = yield Ask(ahead + hsu.command(code, data), ack_ms, _is_verdict)
    if heard.kind is Kind.ACK:
        heard = yield Ask(b"", _ANSWER_MS, lambda frame: _is_answer(frame, code))
    if heard.kind is not Kind.ANSWER:
        raise TalkError(f"it refuses command {code:02X}")
    return bytes(heard.data)


def _is_verdict(frame: Frame) -> bool:
    return frame.kind is not Kind.ANSWER


def _is_answer(frame: Frame, code: int) -> bool:
    return frame.kind is Kind.ERROR or (frame.kind is Kind.ANSWER and frame.code == code + 1)


def read_type_a(answer: bytes) -> Scan | None:
    """The card of an answer ``n Tg SENS_RES SEL_RES length UID [ATS]``; None if it is malformed."""
    if len(answer) < 6 or answer[5] not in _UID_LENGTHS:
        return None
    sel_res, end = answer[4], 6 + answer[5]
    uid, ats = answer[6:end], answer[end:]
    if len(uid) != answer[5] or (ats and ats[0] != len(ats)):
        return None
    kind = "random" if len(uid) == 4 and uid[0] == _RANDOM else _kind(sel_res, ats)
    return Scan("14443a", uid.hex().upper(), kind)


def read_type_b(answer: bytes) -> Scan | None:
    """The card of an answer ``n Tg ATQB ATTRIB_RES``, named by its PUPI; None if malformed."""
    if len(answer) < 14 or answer[2] != 0x50:
        return None
    return Scan("14443b", answer[3:7].hex().upper())


def _kind(sel_res: int, ats: bytes) -> str:
    """What sort of card this is, as far as ISO 14443 tells; a hint for people."""
    if sel_res & _ISO_14443_4:
        if _historical(ats).startswith(_EKTP):
            return "ektp"
        return "desfire" if ats == _DESFIRE else "smart"
    return "classic" if sel_res & _CLASSIC else "ultralight"


def _historical(ats: bytes) -> bytes:
    """What follows length, T0 and the interface bytes that T0 announces (ISO 14443-4 5.2.2)."""
    if len(ats) < 2:
        return b""
    return ats[2 + (ats[1] >> 4 & 7).bit_count() :]


#: Technology, the parameters that ask for one card of it, and who reads the answer.
_KINDS = (
    ("14443a", bytes([0x01, 0x00]), read_type_a),
    ("14443b", bytes([0x01, 0x03, 0x00]), read_type_b),
)

"""Every decoder that is told bytes, with frames of its device, and vectors of the wire typed in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builders import sentence
from gnss_words import mon_hw, mon_rf, nav_status

from edge_agent.devices import Decoder
from edge_agent.devices.at import AtFramer
from edge_agent.devices.conversation import Framer
from edge_agent.devices.ef01 import Ack, Ef01Framer
from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.gm65 import Gm65Decoder
from edge_agent.devices.gnss import GnssDecoder
from edge_agent.devices.hsu import Frame, HsuFramer, Kind
from edge_agent.devices.text import TextDecoder
from edge_agent.profile import Text
from edge_agent.records import Counts, Doubt, Fix, Scan

#: More than a decoder may hold between two calls; one of codes with 512 characters holds more.
MOST_HELD = 600
MOST_HELD_OF_CODES = 4 * 512 + 300
#: Longer than any decoder waits for the rest of what is half there.
SILENCE_MS = 2000


class Framed(Decoder[Any]):
    """A framer as a decoder, so that the laws can be asked of it: silence is `flush`."""

    def __init__(self, framer: Framer[Any]) -> None:
        self.framer = framer

    @property
    def counts(self) -> Counts:
        return Counts(self.framer.noise, self.framer.rejected)

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Any]:
        return self.framer.feed(data) if data else self.framer.flush()

    def restart(self) -> None:
        self.framer.restart()


def hsu_framer() -> Framed:
    return Framed(HsuFramer())


def ef01_framer() -> Framed:
    return Framed(Ef01Framer(b"\xff" * 4))


def feed(decoder: Decoder[Any], parts: Sequence[bytes]) -> list[Any]:
    return [record for part in parts for record in decoder.feed(part)]


def silence(decoder: Decoder[Any]) -> list[Any]:
    """What comes of it that nothing is heard any more."""
    return list(decoder.feed(b"", SILENCE_MS))


def outcome(decoder: Decoder[Any], parts: Sequence[bytes]) -> list[Any]:
    """What these bytes, and silence after them, make."""
    return feed(decoder, parts) + silence(decoder)


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def flipped(frame: bytes) -> Iterator[bytes]:
    """The frame with each of its bits flipped, one at a time."""
    for at in range(len(frame)):
        for bit in range(8):
            yield frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]


def held(one: Any) -> int:
    """Bytes that a decoder, or its framer, keeps between two calls."""
    return sum(
        held(value) if name in ("framer", "_framer") else len(value)
        for name, value in vars(one).items()
        if name in ("framer", "_framer") or (isinstance(value, bytes) and name != "_address")
    )


@dataclass(frozen=True)
class Case:
    """A decoder, good frames with what they say, and the bytes of which near-frames are made.

    `ahead` goes between noise and a frame: a line without a start mark needs the end of the line
    before it, because a number cut short is another number.
    """

    make: Callable[[], Decoder[Any]]
    frames: Sequence[bytes]
    records: Sequence[Any]
    alphabet: bytes
    ahead: bytes = b""
    most_held: int = MOST_HELD


def epoch(second: int, minutes: str) -> bytes:
    """A second of a receiver; only the latitude's minutes differ."""
    at, where = f"1719{second:02}.00", f"44{minutes},N,12118.85478,W"
    bodies = (
        f"GNGST,{at},25,,,,1.2,1.6,3.0",
        "GNGSA,A,3,01,11,31,14,,,,,,,,,1.56,0.91,1.27,1",
        "GPGSV,2,1,05,02,62,341,44,05,41,118,41,12,28,205,,15,71,064,,1",
        "GPGSV,2,2,05,25,35,012,40,1",
        f"GNRMC,{at},A,{where},0.117,,180315,,,A",
        f"GNGGA,{at},{where},1,12,0.91,1147.2,M,-21.3,M,,",
    )
    return b"".join(map(sentence, bodies))


def fix(second: int, lat_e7: int) -> Fix:
    at_ms = 1_426_699_160_000 + (second - 20) * 1000
    return Fix(lat_e7, -1_213_142_463, at_ms, 12, 91, dimension=3, error_m=4, cn0=44)


def _text(technology: str, lines: Mapping[bytes, str], settings: Text) -> Case:
    return Case(
        lambda: TextDecoder(technology, settings),
        list(lines),
        [Scan(technology, value) for value in lines.values()],
        b"\x02\x03\r\n0123456789ABCDEF,: ",
        ahead=b"\r",
    )


#: One EM4100 card, or its like, as the readers of each format print it; `devices.formats`.
_FORMATS: Mapping[str, Mapping[bytes, str]] = {
    "hex": {b"3C00CE754C\r": "3C00CE754C", b"\x023C00CE754D\x03": "3C00CE754D"},
    "hex_rev": {b"4C75CE003C\r\n": "3C00CE754C", b"\n4D75CE003C\r": "3C00CE754D"},
    "dec10": {b"0013530444\r\n": "00CE754C", b"0013530445\n": "00CE754D"},
    "dec10_le": {b"1282788864\r": "00CE754C", b"1299566080\r": "00CE754D"},
    "dec13": {b"0257711568204\r": "3C00CE754C", b"0257711568205\r": "3C00CE754D"},
    "w26": {b"206,30028\r": "CE754C", b"13530445\r": "CE754D"},
    "w34": {b"00206,30028\r": "00CE754C", b"00206,30029\r": "00CE754D"},
    "w34_rev": {b"19573,52736\r": "00CE754C", b"19829,52736\r": "00CE754D"},
}

_ACK = bytes.fromhex("0000FF00FF00")
_NO_TARGET = bytes.fromhex("0000FF03FDD54B00E000")
_NTAG = bytes.fromhex("0000FF0FF1D54B0101004400070416C6C2D738816100")
_NACK, _ERROR = bytes.fromhex("0000FFFF0000"), bytes.fromhex("0000FF01FF7F8100")
_LONG = bytes([0xD5, 0x4B, 1]) + bytes(n % 251 for n in range(257))  # 260 bytes
_EXTENDED = b"\x00\x00\xff\xff\xff\x01\x04\xfb" + _LONG + bytes([-sum(_LONG) & 0xFF, 0])

CASES = {
    "rdm6300": Case(
        Em4100Decoder,
        [b"\x0262E3086CED08\x03", b"\x0201000734E0D2\x03", b"\x023C00CE754CCB\x03"],
        [Scan("em4100", card) for card in ("62E3086CED", "01000734E0", "3C00CE754C")],
        b"\x02\x03\r\n0123456789ABCDEFabcdefG",
    ),
    "id12la": Case(
        Em4100Decoder,
        [b"\x0262E3086CED08\r\n\x03", b"\x023C00CE754CCB\r\n\x03"],
        [Scan("em4100", card) for card in ("62E3086CED", "3C00CE754C")],
        b"\x02\x03\r\n0123456789ABCDEF",
    ),
    "text": Case(
        lambda: TextDecoder("text"),
        [b"0013530444\r\n", b"\x023C00CE754C\x03", b"206,30028\n", b"04C63A63110189\r"],
        [Scan("text", card) for card in ("0013530444", "3C00CE754C", "206,30028")]
        + [Scan("text", "04C63A63110189")],
        b"\x02\x03\r\n0123456789ABCDEF :_-",
        ahead=b"\r",
    ),
    **{
        f"text {name}": _text("em4100", lines, Text(format=name))
        for name, lines in _FORMATS.items()
    },
    "text pattern": _text(
        "14443a",
        {b"UID:04 C6 3A 63 11 01 89\r\n": "04C63A63110189", b"UID:7186A61E\r\n": "7186A61E"},
        Text(format="hex", pattern=r"UID:([0-9A-F ]+)"),
    ),
    "text silence": _text(
        "em4100", {b"0013530444\r": "0013530444", b"13530445\r": "13530445"}, Text(end_ms=30)
    ),
    "gm65 lines": Case(
        Gm65Decoder,
        [b"8711218972875\r", b"]E04006381333931\r\n", b"\x02\x00\x00\x01\x00\x33\x31P-17/kel\r"],
        [Scan("qr", code) for code in ("8711218972875", "4006381333931", "P-17/kel")],
        b"\x02\x03\x00\x01\x04\x31\x33\r\n0123456789]EQ",
        ahead=b"\r",
        most_held=MOST_HELD_OF_CODES,
    ),
    "gm65 protocol": Case(
        Gm65Decoder,
        [b"\x03\x00\x0a0321563840", b"\x03\x00\x0d8711218972875", b"\x03\x00\x03P17"],
        [Scan("qr", code) for code in ("0321563840", "8711218972875", "P17")],
        b"\x02\x03\x00\x01\x04\x31\x33\r\n0123456789]EQ",
        most_held=MOST_HELD_OF_CODES,
    ),
    "hsu": Case(
        hsu_framer,
        [_NTAG, _ACK, _NO_TARGET, _NACK, _ERROR, _EXTENDED],
        [
            Frame(Kind.ANSWER, 0x4B, bytes.fromhex("0101004400070416C6C2D73881")),
            Frame(Kind.ACK),
            Frame(Kind.ANSWER, 0x4B, b"\x00"),
            Frame(Kind.NACK),
            Frame(Kind.ERROR),
            Frame(Kind.ANSWER, 0x4B, _LONG[2:]),
        ],
        b"\x00\xff\x01\x02\x03\xfd\xfe\xd4\xd5\x4b\x7f\x81",
    ),
    "at": Case(
        lambda: Framed(AtFramer()),
        [b"\r\n+CSQ: 20,99\r\n", b"\r\nOK\r\n", b'\r\n+COPS: 0,2,"51010",7\r\n', b"\r\nERROR\r\n"],
        ["+CSQ: 20,99", "OK", '+COPS: 0,2,"51010",7', "ERROR"],
        b'\r\n+:,"?=0123456789ATCOPSRGEQKdef ',
    ),
    "ef01": Case(
        ef01_framer,
        [
            bytes.fromhex("EF01FFFFFFFF070007000011006F008E"),
            bytes.fromhex("EF01FFFFFFFF07000300000A"),
            bytes.fromhex("EF01FFFFFFFF07000709000000000017"),
        ],
        [Ack(0, bytes.fromhex("0011006F")), Ack(0), Ack(9, bytes(4))],
        b"\xef\x01\xff\x07\x00\x03\x02\x08\x0a",
    ),
    "gnss": Case(
        GnssDecoder,
        [
            epoch(26, "04.14063"),
            nav_status(2),
            epoch(27, "04.14070"),
            mon_rf(1, 3),
            epoch(28, "04.14090"),
        ],
        [
            fix(26, 440_690_105),
            Doubt("spoof", stands=True),
            fix(27, 440_690_117),
            Doubt("jam", stands=True),
            fix(28, 440_690_150),
        ],
        b"$*,.\r\nGPNRMCGAWEAV0123456789ABCDEF\xb5\x62\x01\x03\x10\0",
    ),
    "ubx": Case(
        GnssDecoder,
        [mon_hw(1), nav_status(3), mon_hw(1, 68)],
        [Doubt("jam", stands=False), Doubt("spoof", stands=True), Doubt("jam", stands=False)],
        b"\xb5\x62\x01\x03\x0a\x09\x38\x10\x3c\0",
    ),
}


def _vector(dev: str, name: str, said: str, source: str, /, **expect: Any) -> dict[str, Any]:
    return {"dev": dev, "name": name, "hex": said, "source": source, "expect": expect}


_R311, _NFCPY, _TASMOTA = "an R311's transcript", "tests of nfcpy", "Tasmota xsns_107_gm861"
_ESPRFID, _DFR0231, _R503 = "esp-rfid 411", "capture, DFR0231", "R503 manual V1.4.1"

#: Some of the shared folder's vectors, for where it is not; their words are those of its file.
VECTORS = [
    _vector("rdm6300", "card 0013530444", "0233433030434537353443434203",
            "Stack Overflow 11848921", id5="3C00CE754C"),
    _vector("rdm6300", "bad checksum", "0236383030334235314336434203",
            "python-rdm6300", reject="checksum"),
    _vector("rdm6300", "phantom 0", "0230303030303030303030303003", _ESPRFID, phantom=True),
    _vector("rdm6300", "phantom", "0246303030303630303037463103", _ESPRFID, phantom=True),
    _vector("id12", "layout", "023632453330383643454430380D0A03", "ID-12LA", id5="62E3086CED"),
    _vector("parallax", "example", "0A304630313834463037410D", "28140", id5="0F0184F07A"),
    _vector("pn532", "MIFARE", "0000FF00FF000000FF0CF4D54B010100040804078CFC4FF000", _DFR0231,
            frames=["ACK", {"resp": "4B", "data": "010100040804078CFC4F"}], tg=1, uid="078CFC4F"),
    _vector("pn532", "type B", "0000FF12EED54B010150E8253EEC0000001100818501003F00", _NFCPY,
            frames=[{"resp": "4B", "data": "010150E8253EEC000000110081850100"}], pupi="E8253EEC"),
    _vector("pn532", "look for A", "0000FF04FCD44A0100E100", _DFR0231, tx=True, cmd="4A",
            params="0100"),
    _vector("pn532", "bad DCS", "0000FF05FBD5013435368A00", _NFCPY, reject="DCS"),
    _vector("pn532", "payload", "010044000704C63A63110189", "go-pn532", payload_only=True, tg=1,
            uid="04C63A63110189"),
    _vector("fingerprint", "hit", "EF01FFFFFFFF070007000011006F008E", _R311, conf=0, page=17,
            score=111),
    _vector("fingerprint", "miss", "EF01FFFFFFFF07000709000000000017", _R311, conf=9, page=0,
            score=0),
    _vector("fingerprint", "power-on", "55", _R503, handshake=True),
    _vector("fingerprint", "light", "EF01FFFFFFFF01000735015006000094", _R503, cmd="35", ctrl=1,
            speed=80, color=6, times=0),
    _vector("gm65", "EAN-13", "383731313231383937323837350D", _TASMOTA, code="8711218972875"),
    _vector("gm65", "protocol", "03000A30333231353633383430", _TASMOTA, code="0321563840"),
    _vector("gm65", "ack", "02000001003331", _TASMOTA, ok=True, data="00"),
    _vector("gm65", "trigger", "7E000801000201ABCD", _TASMOTA, type=8),
]  # fmt: skip

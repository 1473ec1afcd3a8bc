"""The frames of a PN532, as its end of the wire makes and takes them (NXP UM0701-02, 6.2.1).

normal    00 | 00 FF | LEN LCS | TFI PD0..PDn | DCS | 00        LEN counts TFI..PDn; LEN + LCS = 0
extended  00 | 00 FF | FF FF | LENm LENl LCS | TFI .. | DCS | 00    the three sum to 0; at most 265
ACK  00 00 FF 00 FF 00     NACK 00 00 FF FF 00 00     syntax error 00 00 FF 01 FF 7F 81 00

All sums are modulo 256, TFI..DCS too. The answer to GetFirmwareVersion: 00 00 FF 06 FA D5 03 32 01
06 07 E8 00.
"""

ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
SYNTAX_ERROR = bytes.fromhex("0000FF01FF7F8100")

_START = b"\x00\xff"
_LONGEST = 265


def frame(data: bytes) -> bytes:
    """`data`, TFI included, as a frame; an extended one if it has more than 255 bytes."""
    if len(data) <= 0xFF:
        head = bytes([len(data), -len(data) & 0xFF])
    else:
        length = len(data).to_bytes(2, "big")
        head = b"\xff\xff" + length + bytes([-sum(length) & 0xFF])
    return b"\x00" + _START + head + data + bytes([-sum(data) & 0xFF, 0])


def take(buffer: bytearray) -> bytes | None:
    """Take the next sound frame out of `buffer`: its data, or `ACK` or `NACK` for these.

    None if there is no whole one yet. What is no frame is thrown away, and so are the optional
    zeros before and after.
    """
    while (start := buffer.find(_START)) >= 0:
        del buffer[:start]
        found = _at_start(buffer)
        if found is None:
            return None
        data, size = found
        del buffer[: size or 1]
        if size:
            return data
    del buffer[: len(buffer) - buffer.endswith(b"\x00")]
    return None


def _at_start(buffer: bytearray) -> tuple[bytes, int] | None:
    """Data and size of the frame that begins here; size 0 if it is none; None: cannot tell yet."""
    code = bytes(buffer[2:4])
    if len(code) < 2:
        return None
    if code in (b"\x00\xff", b"\xff\x00"):
        return (ACK if code == b"\x00\xff" else NACK), 4
    first, length = 4, code[0]
    if code == b"\xff\xff":
        first, code = 7, bytes(buffer[4:7])
        if len(code) < 3:
            return None
        length = int.from_bytes(code[:2], "big")
    if sum(code) & 0xFF or not 1 <= length <= _LONGEST:
        return b"", 0
    end = first + length
    if len(buffer) <= end:
        return None
    sound = not sum(buffer[first : end + 1]) & 0xFF
    return bytes(buffer[first:end]), end + 1 if sound else 0

"""u-blox frames made from their description, not by our decoder, and some that were captured."""


def fletcher(body: bytes) -> bytes:
    """The two bytes at the end of a frame: CK_A sums the bytes, CK_B the values of CK_A."""
    sums = [sum(body[: at + 1]) for at in range(len(body))]
    return bytes([sums[-1] % 256, sum(sums) % 256])


def frame(kind: str, payload: bytes) -> bytes:
    """A whole frame; `kind` is class and id in hex."""
    body = bytes.fromhex(kind) + len(payload).to_bytes(2, "little") + payload
    return b"\xb5\x62" + body + fletcher(body)


def nav_status(spoofing: int) -> bytes:
    """UBX-13003221: iTOW, gpsFix 3, flags, fixStat, flags2 with the detector, ttff, msss."""
    return frame("0103", bytes([0, 0, 0, 0, 3, 0xDD, 0, spoofing << 3 | 0x80, *bytes(8)]))


def sec_sig(version: int, jamming: int, spoofing: int, looking: int = 1) -> bytes:
    """F9 HPG 1.50: 12 bytes in version 1; in version 2 a word more for each frequency, here two."""
    if version == 1:
        jam, spoof = jamming << 1 | looking, spoofing << 1 | looking
        return frame("2709", bytes([1, 0, 0, 0, jam, 0, 0, 0, spoof, 0, 0, 0]))
    flags = jamming << 1 | looking | spoofing << 4 | looking << 3
    return frame("2709", bytes([version, flags, 0, 2, *bytes(8)]))


def mon_hw(jamming: int, length: int = 60) -> bytes:
    """UBX-13003221: 60 bytes, of which byte 22 has rtcCalib, safeBoot and the jamming state."""
    payload = bytearray(length)
    payload[22] = 0x01 | jamming << 2
    return frame("0A09", bytes(payload))


def mon_rf(*jamming: int) -> bytes:
    """M9 SPG 4.04: four bytes, then 24 for each antenna: blockId, flags, antStatus, ..."""
    blocks = [bytes([number, state, 2, 1, *bytes(20)]) for number, state in enumerate(jamming)]
    return frame("0A38", bytes([0, len(jamming), 0, 0]) + b"".join(blocks))

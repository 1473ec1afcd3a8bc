"""AutoEnroll and AutoIdentify: several acks to one command, in the manner of two families.

R503 (GROW manual V1.4.1, p. 28-31)
  31  slot (C8 and above: any) | may overwrite | may repeat | say the steps | finger must leave
      acks: code | step | 00: 01..0C images and features in turn, 0D repeat check, 0E merge,
      0F store, with the slot in place of 00
  32  level | first slot | count | say the steps | tries
      acks: code | step 01 image, 02 features, 03 search | slot 2 | score 2
Synochip (PS_AutoEnroll, PS_AutoIdentify; captured: 31 0001 02 004B is answered 26 01 01 after 8 s)
  31  slot 2 | images | flags 2: bit 2 do not say the steps, 3 may overwrite, 4 may not repeat,
      5 finger need not leave
      acks: code | 00 00; for image n 01 n, 02 n, 03 n; then 04 F0, 05 F1, 06 F2
  32  level | slot 2 (FFFF: any) | flags 2: bit 2 do not say the steps
      acks: code | step 00 legal, 01 image, 05 result | slot 2 | score 2

An ack that is not 00 ends the command; the last one is always sent. A conversation here gives the
contents of acks, and the seconds that pass before them.
"""

import struct
from collections.abc import Generator, Iterable, Iterator

from edge_agent.sim.prints import MISMATCH, NOT_FOUND, OK, OUT_OF_RANGE, Prints

Contents = Iterator[bytes | float]
#: Passes time, then gives the content of an ack.
_Step = Generator[float, None, bytes]

TIMEOUT, REPEATED = 0x26, 0x27
_FULL, _OCCUPIED, _LIBRARY_EMPTY, _BAD_COUNT = 0x1F, 0x22, 0x24, 0x25
_R503_S, _SYNOCHIP_S = 10.0, 8.0
_IMAGE_S, _FEATURES_S, _SEARCH_S, _MERGE_S, _STORE_S = 0.190, 0.300, 0.047, 0.012, 0.058
_LOOK_S = 0.1
_ANY_R503, _ANY_SYNOCHIP = 0xC8, 0xFFFF
_NOTHING = bytes(4)


def enrol_r503(prints: Prints, given: bytes) -> Contents:
    """AutoEnroll of an R503."""
    where, overwrite, repeat, says, leave = given[:5]
    free = prints.free()
    slot = where if where < _ANY_R503 else free
    code = _FULL if slot is None else _may_store(prints, slot, bool(overwrite))
    if slot is None or code:
        return iter([_MERGE_S, bytes([code, 0, 0])])
    return _acks(_r503_steps(prints, slot, bool(repeat), bool(leave)), bool(says))


def _r503_steps(prints: Prints, slot: int, repeat: bool, leave: bool) -> Iterator[_Step]:
    images: list[str | None] = []
    for turn in range(6):
        yield _image(prints, bytes([2 * turn + 1, 0]), _R503_S, leave and turn > 0)
        yield _features(prints, images, bytes([2 * turn + 2, 0]))
    yield _repeat_check(prints, b"\x0d\x00", repeat)
    yield _merge(images, b"\x0e\x00")
    yield _store(prints, slot, bytes([0x0F, slot]))


def enrol_synochip(prints: Prints, given: bytes) -> Contents:
    """AutoEnroll of a Synochip module."""
    slot, times, flags = struct.unpack_from(">HBH", given)
    return _acks(_synochip_steps(prints, slot, times, flags), not flags & 0x04)


def _synochip_steps(prints: Prints, slot: int, times: int, flags: int) -> Iterator[_Step]:
    images: list[str | None] = []
    code = _may_store(prints, slot, bool(flags & 0x08))
    yield _plain(bytes([code or (OK if times else _BAD_COUNT), 0, 0]))
    for turn in range(1, times + 1):
        yield _image(prints, bytes([1, turn]), _SYNOCHIP_S)
        yield _features(prints, images, bytes([2, turn]))
        yield _left(prints, bytes([3, turn]), 0.0 if flags & 0x20 else _SYNOCHIP_S)
    yield _merge(images, b"\x04\xf0")
    yield _repeat_check(prints, b"\x05\xf1", not flags & 0x10)
    yield _store(prints, slot, b"\x06\xf2")


def identify_r503(prints: Prints, given: bytes) -> Contents:
    """AutoIdentify of an R503; it is tried once, whatever number of tries is given."""
    _, first, count, says, _ = given[:5]
    return _acks(
        [
            _image(prints, b"\x01" + _NOTHING, _R503_S),
            _features(prints, [], b"\x02" + _NOTHING),
            _search(prints, b"\x03", first, min(count, prints.capacity - first)),
        ],
        bool(says),
    )


def identify_synochip(prints: Prints, given: bytes) -> Contents:
    """AutoIdentify of a Synochip module."""
    _, slot, flags = struct.unpack_from(">BHH", given)
    first, count = (0, prints.capacity) if slot == _ANY_SYNOCHIP else (slot, 1)
    return _acks(_identify_steps(prints, first, count), not flags & 0x04)


def _identify_steps(prints: Prints, first: int, count: int) -> Iterator[_Step]:
    code = OK if prints.slots else _LIBRARY_EMPTY
    yield _plain(bytes([code, 0]) + _NOTHING)
    yield _image(prints, b"\x01" + _NOTHING, _SYNOCHIP_S)
    yield _quiet_search(prints, b"\x05", first, count)


def _acks(steps: Iterable[_Step], says: bool) -> Contents:
    """The acks of the steps: all, or only the last; one that is no success is the last."""
    content = b""
    for step in steps:
        content = yield from step
        if content[0] != OK:
            break
        if says:
            yield content
            content = b""
    if content:
        yield content


def _may_store(prints: Prints, slot: int, overwrite: bool) -> int:
    if slot >= prints.capacity:
        return OUT_OF_RANGE
    return _OCCUPIED if slot in prints.slots and not overwrite else OK


def _plain(content: bytes) -> _Step:
    yield _MERGE_S
    return content


def _image(prints: Prints, step: bytes, patience_s: float, away_first: bool = False) -> _Step:
    """Wait for a finger, a new one if the earlier must leave first."""
    looks = int(patience_s / _LOOK_S)
    while away_first and looks and prints.surface.last is not None:
        yield _LOOK_S
        looks -= 1
    while looks and prints.take_image() != OK:
        yield _LOOK_S
        looks -= 1
    if not looks:
        return bytes([TIMEOUT]) + step
    yield _IMAGE_S
    return bytes([OK]) + step


def _features(prints: Prints, images: list[str | None], step: bytes) -> _Step:
    yield _FEATURES_S
    code = prints.make_features(1)
    images.append(prints.held(1))
    return bytes([code]) + step


def _left(prints: Prints, step: bytes, patience_s: float) -> _Step:
    looks = int(patience_s / _LOOK_S)
    while looks and prints.surface.last is not None:
        yield _LOOK_S
        looks -= 1
    return bytes([TIMEOUT if patience_s and not looks else OK]) + step


def _repeat_check(prints: Prints, step: bytes, allowed: bool) -> _Step:
    yield _SEARCH_S
    found = prints.search(1, 0, prints.capacity)[0] == OK
    return bytes([REPEATED if found and not allowed else OK]) + step


def _merge(images: list[str | None], step: bytes) -> _Step:
    yield _MERGE_S
    return bytes([OK if len(set(images)) == 1 else MISMATCH]) + step


def _store(prints: Prints, slot: int, step: bytes) -> _Step:
    yield _STORE_S
    return bytes([prints.store(1, slot)]) + step


def _search(prints: Prints, step: bytes, first: int, count: int) -> _Step:
    yield _SEARCH_S
    code, slot, score = prints.search(1, first, count)
    return bytes([code]) + step + struct.pack(">HH", slot, score)


def _quiet_search(prints: Prints, step: bytes, first: int, count: int) -> _Step:
    """Features and search in one: features that cannot be made are a finger that is not found."""
    yield _FEATURES_S
    if prints.make_features(1) != OK:
        return bytes([NOT_FOUND]) + step + _NOTHING
    return (yield from _search(prints, step, first, count))

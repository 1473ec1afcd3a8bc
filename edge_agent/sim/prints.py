"""Fingers at a module, the images and features made of them, and the library in its flash.

A finger is a name. Two images of the same finger match and combine, two of different ones do not.
Methods give the confirmation code of the command that they stand for (GROW R503 manual V1.4.1).
"""

from collections.abc import Mapping
from random import Random

from edge_agent.sim.surface import Surface

OK, NO_FINGER, MESSY, FEW_FEATURES = 0x00, 0x02, 0x06, 0x07
NO_MATCH, NOT_FOUND, MISMATCH, OUT_OF_RANGE, NO_TEMPLATE = 0x08, 0x09, 0x0A, 0x0B, 0x0C
DELETE_FAIL, NO_IMAGE = 0x10, 0x15


class Prints:
    """Everything of a module that has to do with fingers.

    Attributes:
        slots: the library, which outlives power.
        blurred: of how many images to come no features can be made.
        blur_code: 06 or 07, what is said of these.
        matched: whether the last comparison found something.
    """

    def __init__(self, capacity: int, buffers: int, slots: Mapping[int, str], seed: int) -> None:
        self.slots = dict(slots)
        self.surface: Surface[str] = Surface(alone=True)
        self.blurred = 0
        self.blur_code = MESSY
        self.capacity = capacity
        self._last_buffer = buffers
        self._random = Random(seed)
        self.forget()

    def forget(self) -> None:
        """Lose what only power keeps."""
        self.image: str | None = None
        self.matched = False
        self._buffers: dict[int, str] = {}

    def take_image(self) -> int:
        """GenImg."""
        finger = self.surface.last
        if finger is None:
            return NO_FINGER
        self.image = finger
        return OK

    def make_features(self, buffer: int) -> int:
        """Img2Tz."""
        if self.image is None:
            return NO_IMAGE
        if self.blurred > 0:
            self.blurred -= 1
            return self.blur_code
        self._buffers[self._place(buffer)] = self.image
        return OK

    def match(self) -> tuple[int, int]:
        """Match: code and score of CharBuffers 1 and 2; a low score is not zero."""
        one, other = self._buffers.get(1), self._buffers.get(2)
        self.matched = one is not None and one == other
        return (OK, self._score()) if self.matched else (NO_MATCH, self._random.randint(0, 20))

    def search(self, buffer: int, start: int, count: int) -> tuple[int, int, int]:
        """Search: code, slot and score; the lowest slot that matches."""
        if start + count > self.capacity:
            return OUT_OF_RANGE, 0, 0
        finger = self.held(buffer)
        found = [
            slot
            for slot, owner in sorted(self.slots.items())
            if start <= slot < start + count and owner == finger
        ]
        self.matched = bool(found)
        return (OK, found[0], self._score()) if found else (NOT_FOUND, 0, 0)

    def combine(self, images: int = 2) -> int:
        """RegModel: CharBuffers 1 to `images` become one template, in 1 and 2."""
        parts = [self._buffers.get(number) for number in range(1, images + 1)]
        if parts[0] is None or set(parts) != {parts[0]}:
            return MISMATCH
        self._buffers[1] = self._buffers[2] = parts[0]
        return OK

    def store(self, buffer: int, slot: int) -> int:
        """Store."""
        finger = self.held(buffer)
        if slot >= self.capacity:
            return OUT_OF_RANGE
        if finger is None:
            return NO_TEMPLATE
        self.slots[slot] = finger
        return OK

    def load(self, buffer: int, slot: int) -> int:
        """LoadChar."""
        if slot >= self.capacity:
            return OUT_OF_RANGE
        if slot not in self.slots:
            return NO_TEMPLATE
        self._buffers[self._place(buffer)] = self.slots[slot]
        return OK

    def delete(self, first: int, count: int) -> int:
        """DeletChar."""
        if first + count > self.capacity:
            return DELETE_FAIL
        for slot in range(first, first + count):
            self.slots.pop(slot, None)
        return OK

    def index(self, page: int) -> bytes:
        """A page of ReadIndexTable: 256 slots, bit k of byte j is slot 8j + k."""
        bits = sum(1 << slot - 256 * page for slot in self.slots if slot // 256 == page)
        return bits.to_bytes(32, "little")

    def free(self) -> int | None:
        """The lowest empty slot."""
        return next((slot for slot in range(self.capacity) if slot not in self.slots), None)

    def held(self, buffer: int) -> str | None:
        """Whose features a CharBuffer holds."""
        return self._buffers.get(self._place(buffer))

    def _place(self, buffer: int) -> int:
        """By the ZFM-20's manual, any number that is no buffer's stands for the second one."""
        return buffer if 1 <= buffer <= self._last_buffer else 2

    def _score(self) -> int:
        return self._random.randint(50, 200)

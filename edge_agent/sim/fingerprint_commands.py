"""What a fingerprint module does with each command: content in, content of the ack out.

The status register of ReadSysPara: bit 1 a match was found, 2 the password was verified, 3 an image
is there. ReadProdInfo has 46 bytes, whatever length the manual prints (GROW R503 manual V1.4.1).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from edge_agent.sim import fingerprint_auto as auto
from edge_agent.sim import fingerprint_models as models
from edge_agent.sim.fingerprint_auto import Contents
from edge_agent.sim.fingerprint_models import Model
from edge_agent.sim.prints import FEW_FEATURES, NO_FINGER, OK, Prints

FACTORY_ADDRESS = 0xFFFFFFFF

_RECEIVE_ERROR, _UPLOAD_FAIL, _IMAGE_UPLOAD_FAIL, _WRONG_PASSWORD = 0x01, 0x0D, 0x0F, 0x13
_BAD_REGISTER, _VERIFY_FIRST, _ECHO, _UNSUPPORTED = 0x1A, 0x21, 0x55, 0xFC
_SECURITY_LEVEL, _PACKET_128, _BAUD_57600 = 3, 2, 6
_BRIEF_S, _PER_TEMPLATE_S = 0.012, 0.001
_SEARCHES = (models.SEARCH, models.HI_SPEED_SEARCH)
_SECONDS = {
    models.GEN_IMG: 0.190,
    models.GET_IMAGE_EX: 0.190,
    models.IMG_2_TZ: 0.300,
    models.MATCH: 0.028,
    models.SEARCH: 0.030,
    models.HI_SPEED_SEARCH: 0.030,
    models.STORE: 0.058,
    models.DELET_CHAR: 0.066,
    models.EMPTY: 0.070,
    models.READ_SYS_PARA: 0.016,
}


@dataclass(frozen=True, slots=True)
class Ring:
    """A setting of the R503's ring: 1 breathe, 2 flash, 3 on, 4 off, 5 fade in, 6 fade out.

    Attributes:
        colour: 1 red, 2 blue, 3 purple, 4 green, 5 yellow, 6 cyan, 7 white.
        times: 0 for ever.
    """

    control: int
    speed: int
    colour: int
    times: int


class Commands:
    """The commands of a model, with all that they keep.

    Attributes:
        address: outlives power, as password and library do.
        exported: how often a template or an image was asked for.
        outgoing: data that follow the last ack.
        ring: the last setting since power-on.
    """

    def __init__(self, model: Model, prints: Prints, password: int, seed: int) -> None:
        self.address = FACTORY_ADDRESS
        self.password = password
        self.exported = 0
        self._model = model
        self._prints = prints
        self._random = Random(seed)
        self._known = self._table()
        self.forget()

    def forget(self) -> None:
        """Lose what only power keeps."""
        self._prints.forget()
        self._verified = False
        self.outgoing = b""
        self.ring: Ring | None = None

    def answer(self, code: int, given: bytes) -> Contents:
        """The acks to a command, and the seconds that it takes."""
        if code != models.VFY_PWD and self.password and not self._verified:
            return iter([_BRIEF_S, bytes([_VERIFY_FIRST])])
        size, command = self._known.get(code, (0, None))
        if code not in self._model.commands or command is None:
            return iter([_BRIEF_S, bytes([_UNSUPPORTED])])
        if len(given) < size:
            return iter([_BRIEF_S, bytes([_RECEIVE_ERROR])])
        answer = command(given)
        return iter([self._seconds(code, answer), answer]) if isinstance(answer, bytes) else answer

    def _seconds(self, code: int, answer: bytes) -> float:
        if answer[0] == NO_FINGER:
            return _BRIEF_S
        more = _PER_TEMPLATE_S * len(self._prints.slots) if code in _SEARCHES else 0.0
        return _SECONDS.get(code, _BRIEF_S) + more

    def _table(self) -> dict[int, tuple[int, Callable[[bytes], bytes | Contents]]]:
        """Code to least number of parameter bytes and what is done."""
        prints, ring = self._prints, self._model.ring
        return {
            models.GEN_IMG: (0, lambda _: bytes([prints.take_image()])),
            models.GET_IMAGE_EX: (0, self._get_image_ex),
            models.IMG_2_TZ: (1, lambda given: bytes([prints.make_features(given[0])])),
            models.MATCH: (0, lambda _: struct.pack(">BH", *prints.match())),
            models.SEARCH: (5, self._search),
            models.HI_SPEED_SEARCH: (5, self._search),
            models.REG_MODEL: (0, lambda _: bytes([prints.combine()])),
            models.STORE: (3, lambda given: bytes([prints.store(*_buffer_page(given))])),
            models.LOAD_CHAR: (3, lambda given: bytes([prints.load(*_buffer_page(given))])),
            models.UP_CHAR: (1, self._up_char),
            models.UP_IMAGE: (0, self._up_image),
            models.DELET_CHAR: (4, lambda given: bytes([prints.delete(*_two_words(given))])),
            models.EMPTY: (0, self._empty),
            models.SET_SYS_PARA: (2, lambda _: bytes([_BAD_REGISTER])),
            models.READ_SYS_PARA: (0, self._read_sys_para),
            models.SET_PWD: (4, self._set_password),
            models.VFY_PWD: (4, self._verify_password),
            models.GET_RANDOM_CODE: (0, lambda _: _ok(self._random.randbytes(4))),
            models.SET_ADDER: (4, self._set_address),
            models.TEMPLETE_NUM: (0, lambda _: _ok(struct.pack(">H", len(prints.slots)))),
            models.READ_INDEX_TABLE: (1, lambda given: _ok(prints.index(given[0]))),
            models.CANCEL: (0, _done),
            models.AUTO_ENROLL: (5, self._enrol),
            models.AUTO_IDENTIFY: (5, self._identify),
            models.SLEEP: (0, _done),
            models.AURA_LED: (4, self._aura_led) if ring else (0, _done),
            models.CHECK_SENSOR: (0, _done),
            models.GET_ALG_VER: (0, lambda _: _ok(b"SIM_ALG_1".ljust(32, b"\0"))),
            models.GET_FW_VER: (0, lambda _: _ok(b"SIM_FW_1".ljust(32, b"\0"))),
            models.READ_PROD_INFO: (0, self._read_prod_info),
            models.SOFT_RST: (0, _done),
            models.HAND_SHAKE: (0, _done),
            models.LED_ON: (0, _done),
            models.LED_OFF: (0, _done),
            models.GET_ECHO: (0, lambda _: bytes([_ECHO])),
        }

    def _get_image_ex(self, _given: bytes) -> bytes:
        """GenImg that sees by itself that nothing can be made of an image."""
        code = self._prints.take_image()
        blurred = code == OK and self._prints.blurred > 0
        self._prints.blurred -= blurred
        return bytes([FEW_FEATURES if blurred else code])

    def _search(self, given: bytes) -> bytes:
        return struct.pack(">BHH", *self._prints.search(*struct.unpack_from(">BHH", given)))

    def _up_char(self, given: bytes) -> bytes:
        self.exported += 1
        finger = self._prints.held(given[0])
        if finger is None:
            return bytes([_UPLOAD_FAIL])
        self.outgoing = Random(finger).randbytes(self._model.template_bytes)
        return _ok()

    def _up_image(self, _given: bytes) -> bytes:
        self.exported += 1
        return bytes([_IMAGE_UPLOAD_FAIL])

    def _empty(self, _given: bytes) -> bytes:
        self._prints.slots.clear()
        return _ok()

    def _read_sys_para(self, _given: bytes) -> bytes:
        prints = self._prints
        status = prints.matched << 1 | self._verified << 2 | (prints.image is not None) << 3
        words = (status, self._model.system_id, self._model.capacity, _SECURITY_LEVEL)
        tail = (self.address, _PACKET_128, _BAUD_57600)
        return _ok(struct.pack(">HHHHIHH", *words, *tail))

    def _set_password(self, given: bytes) -> bytes:
        self.password = int.from_bytes(given[:4], "big")
        self._verified = True
        return _ok()

    def _verify_password(self, given: bytes) -> bytes:
        self._verified = int.from_bytes(given[:4], "big") == self.password
        return bytes([OK if self._verified else _WRONG_PASSWORD])

    def _set_address(self, given: bytes) -> bytes:
        self.address = int.from_bytes(given[:4], "big")
        return _ok()

    def _enrol(self, given: bytes) -> Contents:
        enrol = auto.enrol_r503 if self._model.ring else auto.enrol_synochip
        return enrol(self._prints, given)

    def _identify(self, given: bytes) -> Contents:
        identify = auto.identify_r503 if self._model.ring else auto.identify_synochip
        return identify(self._prints, given)

    def _aura_led(self, given: bytes) -> bytes:
        self.ring = Ring(*given[:4])
        return _ok()

    def _read_prod_info(self, _given: bytes) -> bytes:
        model = self._model
        texts = (model.name.encode("ascii"), b"SIM1", b"00000001", 1, 0, b"FPS")
        sizes = (192, 192, model.template_bytes, model.capacity)
        return _ok(struct.pack(">16s4s8sBB8sHHHH", *texts, *sizes))


def _ok(more: bytes = b"") -> bytes:
    return bytes([OK]) + more


def _done(_given: bytes) -> bytes:
    return _ok()


def _buffer_page(given: bytes) -> tuple[int, int]:
    return given[0], int.from_bytes(given[1:3], "big")


def _two_words(given: bytes) -> tuple[int, int]:
    return int.from_bytes(given[:2], "big"), int.from_bytes(given[2:4], "big")

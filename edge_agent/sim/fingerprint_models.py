"""How the models of fingerprint modules differ, as far as a host can tell.

ZFM-20   162 slots, no boot byte, about 500 ms to start; no ReadIndexTable in its manual of 2008
R307     1000 slots, otherwise as ZFM-20; GetEcho 53 answers 55, light 50/51
AS608    Synochip: 300 slots, boot byte 55; 35 is HandShake; AutoEnroll, Sleep; touch active high
R503     200 slots, boot byte 55 after 50 ms; 35 is AuraLedConfig, 40 HandShake; no 1B

Sources: GROW R503 manual V1.4.1, Adafruit and pyfingerprint libraries, a log of a Synochip module.
The system ids of ZFM-20, R307 and AS608 and the missing boot byte are common knowledge, unproved.
"""

from dataclasses import dataclass, field

GEN_IMG, IMG_2_TZ, MATCH, SEARCH, REG_MODEL, STORE, LOAD_CHAR, UP_CHAR = range(0x01, 0x09)
UP_IMAGE, DELET_CHAR, EMPTY, SET_SYS_PARA, READ_SYS_PARA = 0x0A, 0x0C, 0x0D, 0x0E, 0x0F
SET_PWD, VFY_PWD, GET_RANDOM_CODE, SET_ADDER, HI_SPEED_SEARCH = 0x12, 0x13, 0x14, 0x15, 0x1B
TEMPLETE_NUM, READ_INDEX_TABLE, GET_IMAGE_EX = 0x1D, 0x1F, 0x28
CANCEL, AUTO_ENROLL, AUTO_IDENTIFY, SLEEP = 0x30, 0x31, 0x32, 0x33
AURA_LED, CHECK_SENSOR, GET_ALG_VER, GET_FW_VER = 0x35, 0x36, 0x39, 0x3A
READ_PROD_INFO, SOFT_RST, HAND_SHAKE, LED_ON, LED_OFF, GET_ECHO = 0x3C, 0x3D, 0x40, 0x50, 0x51, 0x53

#: What changes a module for good.
WRITING = frozenset({STORE, DELET_CHAR, EMPTY, SET_SYS_PARA, SET_PWD, SET_ADDER, AUTO_ENROLL})
#: What every model knows.
COMMON = frozenset(
    {*range(GEN_IMG, UP_CHAR + 1), UP_IMAGE, DELET_CHAR, EMPTY, SET_SYS_PARA, READ_SYS_PARA}
    | {SET_PWD, VFY_PWD, GET_RANDOM_CODE, SET_ADDER, TEMPLETE_NUM}
)
_AUTO = {CANCEL, AUTO_ENROLL, AUTO_IDENTIFY}


@dataclass(frozen=True, slots=True)
class Model:
    """A model of module.

    Attributes:
        capacity: slots, numbered from 0.
        boot: what it sends when it has started.
        start_s: from power to the first command that it hears.
        buffers: CharBuffers, numbered from 1.
        commands: codes that it knows; anything else is answered FC.
        silent: codes that it does not answer at all, as some R308 do with ReadSysPara.
        ring: 35 is AuraLedConfig; otherwise it is HandShake, if it is known.
        touch_high: the touch pin is high while a finger is there.
    """

    name: str
    capacity: int
    system_id: int = 0x0009
    boot: bytes = b""
    start_s: float = 0.5
    buffers: int = 2
    template_bytes: int = 512
    commands: frozenset[int] = COMMON | {HI_SPEED_SEARCH}
    silent: frozenset[int] = field(default=frozenset())
    ring: bool = False
    touch_high: bool = False


ZFM20 = Model("ZFM-20", 162)
R307 = Model(
    "R307",
    1000,
    commands=COMMON | {HI_SPEED_SEARCH, READ_INDEX_TABLE, LED_ON, LED_OFF, GET_ECHO},
)
AS608 = Model(
    "AS608",
    300,
    boot=b"\x55",
    commands=COMMON | {HI_SPEED_SEARCH, READ_INDEX_TABLE, *_AUTO, SLEEP, AURA_LED},
    touch_high=True,
)
R503 = Model(
    "R503",
    200,
    system_id=0x0000,
    boot=b"\x55",
    start_s=0.05,
    buffers=6,
    template_bytes=1536,
    commands=COMMON
    | {READ_INDEX_TABLE, GET_IMAGE_EX, *_AUTO, AURA_LED, CHECK_SENSOR, GET_ALG_VER, GET_FW_VER}
    | {READ_PROD_INFO, SOFT_RST, HAND_SHAKE},
    ring=True,
)

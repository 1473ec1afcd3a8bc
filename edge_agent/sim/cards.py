"""Contactless cards as a PN532 reports them when it has activated one.

type A   Tg | SENS_RES 2 | SEL_RES 1 | length of the UID | UID 4, 7 or 10 | [ATS, if ISO 14443-4]
type B   Tg | 50 | PUPI 4 | application data 4 | protocol info 3 | length, ATTRIB_RES

The ATS counts its own length byte; it is there only if SEL_RES has bit 20h. Captured: a MIFARE
Classic 1K is `01 0004 08 04 078CFC4F` (NXP UM0701-02, DFR0231 captures; nfcpy's tests for type B).
"""

from dataclasses import dataclass
from random import Random

ISO_14443_4 = 0x20  # in SEL_RES


@dataclass(frozen=True, slots=True)
class TypeA:
    """A card of ISO 14443 type A.

    Attributes:
        uid: 4, 7 or 10 bytes, the first on the air first.
        sens_res: 2 bytes as the PN532 gives them.
        ats: with its length byte; b"" for a card that is not ISO 14443-4.
        random_uid: another UID of 4 bytes beginning 08 at each activation; `uid` is never shown.

    Raises:
        ValueError: no card has such a UID or answer.
    """

    uid: bytes
    sens_res: bytes = b"\x00\x44"
    sel_res: int = 0x00
    ats: bytes = b""
    random_uid: bool = False

    def __post_init__(self) -> None:
        if len(self.uid) not in (4, 7, 10):
            raise ValueError(f"a UID has 4, 7 or 10 bytes, not {len(self.uid)}")
        if len(self.sens_res) != 2:
            raise ValueError("SENS_RES has 2 bytes")
        if self.ats and (self.ats[0] != len(self.ats) or not self.sel_res & ISO_14443_4):
            raise ValueError("an ATS begins with its length and needs bit 20h of SEL_RES")

    def target(self, number: int, random: Random, with_ats: bool = True) -> bytes:
        """What is answered for it as target `number`."""
        uid = b"\x08" + random.randbytes(3) if self.random_uid else self.uid
        head = bytes([number]) + self.sens_res + bytes([self.sel_res, len(uid)])
        return head + uid + (self.ats if with_ats else b"")


@dataclass(frozen=True, slots=True)
class TypeB:
    """A card of ISO 14443 type B.

    Attributes:
        pupi: 4 bytes, the number that it gives for itself.
        app_data: 4 bytes.
        prot_info: 3 bytes.
        new_pupi: another PUPI at each activation, which the standard allows.

    Raises:
        ValueError: a part has another length.
    """

    pupi: bytes
    app_data: bytes = bytes(4)
    prot_info: bytes = b"\x00\x81\x85"
    attrib_res: bytes = b"\x00"
    new_pupi: bool = False

    def __post_init__(self) -> None:
        if [len(self.pupi), len(self.app_data), len(self.prot_info)] != [4, 4, 3]:
            raise ValueError("PUPI, application data and protocol info have 4, 4 and 3 bytes")

    def target(self, number: int, random: Random, with_ats: bool = True) -> bytes:
        """What is answered for it as target `number`; a card of type B has no ATS."""
        pupi = random.randbytes(4) if self.new_pupi else self.pupi
        answer = bytes([number, 0x50]) + pupi + self.app_data + self.prot_info
        return answer + bytes([len(self.attrib_res)]) + self.attrib_res


Card = TypeA | TypeB

MIFARE_1K = TypeA(bytes.fromhex("078CFC4F"), b"\x00\x04", 0x08)
NTAG = TypeA(bytes.fromhex("04C63A63110189"))
DESFIRE = TypeA(bytes.fromhex("047368A2C72280"), b"\x03\x44", 0x20, bytes.fromhex("067577810280"))
#: A card with a processor beside MIFARE Classic: SEL_RES 28.
CPU_CARD = TypeA(
    bytes.fromhex("FDE60899"), b"\x00\x04", 0x28, bytes.fromhex("107880900220900000000000FDE60899")
)
#: The identity card of Indonesia. Its historical bytes are those that pcsc-tools lists (ATR 3B 8B
#: 80 01 654B5450304432654B5450 4C); UID, SENS_RES and the ATS before them are of its likely kind.
E_KTP = TypeA(
    bytes.fromhex("04A1B2C3D4E580"), b"\x00\x44", 0x20, b"\x10\x78\x77\x81\x02eKTP0D2eKTP"
)
#: A telephone that plays a card.
PHONE = TypeA(bytes.fromhex("08000000"), b"\x00\x04", 0x20, bytes.fromhex("0578807002"), True)
#: The driving licence of Indonesia, as pcsc-tools lists one (ATR 3B 8C 80 01 50 2C8D214B ...).
SIM = TypeB(bytes.fromhex("2C8D214B"), bytes.fromhex("23180100"), bytes.fromhex("778197"))

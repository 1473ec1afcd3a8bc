"""What the panel says, in Indonesian: two lines of at most 16 characters, as on the usual LCD."""

import re
from dataclasses import dataclass

from edge_agent.records import Signal

WIDTH = 16
#: "Dr. La Ode Hamzah, S.Sos., M.Si." -> "La Ode Hamzah": titles would push the name off the line.
_TITLES = re.compile(r"^(?:(?:Prof|Drs?|Dra|Ir|KH|Hj?|drg?|Ns|Apt)\.\s*)+|,.*$")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to show, and the entry that it is about.

    Attributes:
        signal: decides lamp and beep.
        lines: two lines of text.
        seq: of the entry, None if nothing was stored.
        credential: the concealed credential, "" if there was none.
    """

    signal: Signal
    lines: tuple[str, str]
    seq: int | None = None
    credential: str = ""


def compose(
    signal: Signal,
    name: str,
    clock: str,
    *,
    online: bool,
    seq: int | None = None,
    credential: str = "",
    thing: str = "Kartu",
) -> Notice:
    """The notice for a punch.

    Args:
        name: display name, "" if unknown; titles are left out and the rest cut to fit.
        clock: local time, ``HH:MM``; of the earlier punch for a repeat.
        online: says whether it is recorded at once or waits on the terminal; green either way.
        thing: what was presented, ``Kartu``, ``Jari`` or ``Kode``.
    """
    lines = {
        Signal.STORED: (shorten(name), f"{clock} {'TERCATAT' if online else 'TERSIMPAN'}"),
        Signal.REPEAT: ("Sudah presensi", f"pukul {clock}"),
        Signal.UNKNOWN: (f"{thing} tidak", "dikenal. Dicatat"),
        Signal.FAULT: ("GAGAL DISIMPAN", "Isi manual dulu"),
    }[signal]
    return Notice(signal, lines, seq, credential)


def announce(signal: Signal, name: str = "", thing: str = "Kartu") -> Notice:
    """The notice for what is no punch: a misread, a step of an enrolment of `name`, a stick."""
    lines = {
        Signal.MISREAD: ("Silakan ulangi", "Tahan 1 detik"),
        Signal.ENROL: (f"Daftar {thing.lower()}", "Tempel 2 kali"),
        Signal.ENROLLED: (f"{thing} terdaftar", shorten(name)),
        Signal.TAKEN: (f"{thing} sudah", "milik orang lain"),
        Signal.UNSTABLE: ("UID berubah-ubah", "Pakai kartu lain"),
        Signal.CARRYING: ("Menyalin data", "Jangan dicabut"),
        Signal.CARRIED: ("Selesai disalin", "Boleh dicabut"),
        Signal.UNCARRIED: ("GAGAL DISALIN", "Hubungi teknisi"),
    }[signal]
    return Notice(signal, lines)


def shorten(name: str) -> str:
    """A display name for one line: ASCII, without academic titles."""
    plain = _TITLES.sub("", name).encode("ascii", "ignore").decode().strip()
    return plain[:WIDTH].rstrip()

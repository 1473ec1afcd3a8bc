"""What staff read on two lines of sixteen signs, on a console and in a file."""

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent import config
from edge_agent.errors import PanelError
from edge_agent.panel import open_panel
from edge_agent.panel.console import ConsolePanel, SimulatedPanel
from edge_agent.panel.messages import WIDTH, Notice, announce, compose, shorten
from edge_agent.records import Signal

STORED = compose(Signal.STORED, "La Ode Amin", "07:28", online=True, seq=7, credential="ab" * 32)

BEFORE = st.lists(
    st.sampled_from(["Prof.", "Dr.", "Drs.", "Dra.", "Ir.", "H.", "Hj.", "dr.", "drg."]),
    max_size=4,
    unique=True,
)
AFTER = st.lists(
    st.sampled_from(["S.Sos.", "M.Si.", "S.Pd", "S.E., M.M.", "S.T", "A.Md.Keb.", "Ph.D"]),
    max_size=3,
    unique=True,
)
GIVEN = st.lists(
    st.sampled_from(["La", "Wa", "Ode", "Muh.", "Abdurrahman", "Siti", "Nur'aini", "Y", "O'Neill"])
    | st.text(st.characters(categories=["L"]), min_size=1, max_size=20),
    min_size=1,
    max_size=5,
)
STAFF = st.builds(
    lambda before, given_, after: ", ".join([" ".join([*before, *given_]), *after]),
    BEFORE,
    GIVEN,
    AFTER,
)
CLOCKS = st.times().map(lambda at: at.strftime("%H:%M"))
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


#: What a punch is answered with; the rest of the signals is announced.
OF_A_PUNCH = (Signal.STORED, Signal.REPEAT, Signal.UNKNOWN, Signal.FAULT)
ANNOUNCED = [signal for signal in Signal if signal not in OF_A_PUNCH]
THINGS = ("Kartu", "Jari", "Kode")
NOTICES = st.builds(
    lambda signal, name, clock, online, thing: compose(
        signal, name, clock, online=online, thing=thing
    ),
    st.sampled_from(OF_A_PUNCH),
    STAFF | PLAIN,
    CLOCKS,
    st.booleans(),
    st.sampled_from(THINGS),
) | st.builds(announce, st.sampled_from(ANNOUNCED), STAFF | PLAIN, st.sampled_from(THINGS))


@given(NOTICES)
def test_every_notice_fits_the_display(notice: Notice) -> None:
    """Two lines of at most 16 printable ASCII signs, whoever it is and whatever happened."""
    lines = notice.lines
    assert len(lines) == 2
    for line in lines:
        assert len(line) <= WIDTH == 16
        assert line == line.strip()
        assert line.isascii()
        assert line == "" or line.isprintable()


@given(BEFORE, st.text("abcdefghijklm", min_size=1, max_size=8), AFTER)
def test_titles_are_left_out(before: list[str], name: str, after: list[str]) -> None:
    """Those before the name with their blanks, those after the first comma."""
    assert shorten(", ".join([" ".join([*before, name]), *after])) == name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Dr. La Ode Hamzah, S.Sos., M.Si.", "La Ode Hamzah"),
        ("Prof. Dr. Ir. H. Abdullah", "Abdullah"),
        ("Drs.H.Muh. Ali", "Muh. Ali"),
        ("dr. Hj. Wa Ode Siti Nur'aini, Sp.A", "Wa Ode Siti Nur'"),
        ("Abdurrahman bin Auf", "Abdurrahman bin"),  # no blank at the end
        ("Dra", "Dra"),  # a name, without the full stop
        ("Hamid", "Hamid"),
        ("Irwan", "Irwan"),
        ("Andr\u00e9 Lanto", "Andr Lanto"),
        ("", ""),
    ],
)
def test_names_as_they_are_shown(name: str, short: str) -> None:
    """Cut to fit, and only titles are taken for titles."""
    assert shorten(name) == short


def test_each_signal_says_what_the_message_table_says() -> None:
    """TAP_OK, OFFLINE_OK, DUPLICATE, UNKNOWN_CARD and NOT_SAVED of the table of messages."""
    said = {
        (signal, online): compose(signal, "Wa Ode Siti", "07:28", online=online).lines
        for signal in OF_A_PUNCH
        for online in (True, False)
    }
    assert said[Signal.STORED, True] == ("Wa Ode Siti", "07:28 TERCATAT")
    assert said[Signal.STORED, False] == ("Wa Ode Siti", "07:28 TERSIMPAN")
    for online in (True, False):
        assert said[Signal.REPEAT, online] == ("Sudah presensi", "pukul 07:28")
        assert said[Signal.UNKNOWN, online] == ("Kartu tidak", "dikenal. Dicatat")
        assert said[Signal.FAULT, online] == ("GAGAL DISIMPAN", "Isi manual dulu")


def test_what_is_no_punch_says_what_the_message_table_says() -> None:
    """READ_ERROR, ENROL_TAP, ENROL_OK, ENROL_TAKEN and ENROL_UNSTABLE; about no entry."""
    assert announce(Signal.MISREAD).lines == ("Silakan ulangi", "Tahan 1 detik")
    assert announce(Signal.UNSTABLE).lines == ("UID berubah-ubah", "Pakai kartu lain")
    for thing in THINGS:
        assert announce(Signal.TAKEN, thing=thing).lines == (f"{thing} sudah", "milik orang lain")
        asked = announce(Signal.ENROL, "Wa Ode Siti", thing)
        assert asked.lines == (f"Daftar {thing.lower()}", "Tempel 2 kali")
        done = announce(Signal.ENROLLED, "Dr. Wa Ode Siti, M.Si.", thing)
        assert done.lines == (f"{thing} terdaftar", "Wa Ode Siti")
        assert (asked.seq, asked.credential, done.seq, done.credential) == (None, "", None, "")


@pytest.mark.parametrize("thing", THINGS)
def test_an_unknown_is_told_what_was_not_known(thing: str) -> None:
    """A finger is no card, and neither is a code."""
    lines = compose(Signal.UNKNOWN, "", "07:28", online=True, thing=thing).lines
    assert lines == (f"{thing} tidak", "dikenal. Dicatat")


def test_a_console_shows_a_line_for_each_notice() -> None:
    """Signal and both lines."""
    out = io.StringIO()
    panel = ConsolePanel(out)
    panel.signal(STORED)
    panel.signal(compose(Signal.FAULT, "", "", online=False))
    panel.close()
    assert out.getvalue() == (
        "[stored ] La Ode Amin      | 07:28 TERCATAT\n"
        "[fault  ] GAGAL DISIMPAN   | Isi manual dulu\n"
    )


def test_a_console_that_nobody_reads_any_more_is_no_fault() -> None:
    """Closed, or a pipe whose other end has gone."""
    closed = io.StringIO()
    closed.close()
    ConsolePanel(closed).signal(STORED)
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError), os.fdopen(writer, "w") as pipe:
        ConsolePanel(pipe).signal(STORED)  # survives; only closing the file complains


def test_a_simulated_panel_writes_what_was_shown(tmp_path: Path) -> None:
    """One JSON line for each notice, in order, appended to what is there."""
    path = tmp_path / "panel.jsonl"
    for _ in range(2):
        panel = SimulatedPanel(str(path))
        panel.signal(STORED)
        panel.signal(Notice(Signal.FAULT, ("a", "b")))
        panel.close()
    shown = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["signal"] for one in shown] == ["stored", "fault"] * 2
    assert shown[0]["lines"] == ["La Ode Amin", "07:28 TERCATAT"]
    assert (shown[0]["seq"], shown[0]["credential"]) == (7, "ab" * 32)
    assert shown[0]["at_ns"] <= shown[1]["at_ns"] <= shown[2]["at_ns"]


def test_a_simulated_panel_on_a_full_disk_does_not_stop_the_terminal() -> None:
    """Showing a notice never raises; the punch is stored all the same."""
    panel = SimulatedPanel("/dev/full")
    panel.signal(STORED)
    panel.close()


def test_a_simulated_panel_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    """The file and the key that names it."""
    with pytest.raises(PanelError, match="Is a directory") as caught:
        SimulatedPanel(str(tmp_path))
    assert caught.value.subject == str(tmp_path)
    assert "panel.file" in caught.value.hint


def test_the_configuration_chooses_the_panel(tmp_path: Path) -> None:
    """A console for a machine without pins, a file for a test."""
    assert isinstance(open_panel(config.Panel()), ConsolePanel)
    made = open_panel(config.Panel("simulated", file=str(tmp_path / "panel")))
    assert isinstance(made, SimulatedPanel)
    made.close()

"""Which card is newly there, from look to look."""

from edge_agent.devices.field import Field
from edge_agent.records import Scan

E_KTP = Scan("14443a", "04A1B2C3D4E580", "ektp")
NO_ATS = Scan("14443a", "04A1B2C3D4E580", "smart")
NTAG = Scan("14443a", "04C63A63110189", "ultralight")
SIM, OTHER_SIM, THIRD = (Scan("14443b", pupi) for pupi in ("2C8D214B", "370B16BD", "43E0F5F4"))
BOTH = ("14443a", "14443b")


def looks(*seen: Scan | None, every_ms: int = 100, misses: int = 3) -> list[Scan]:
    """What was new, look by look; type B is asked for only where no A was found."""
    field, new = Field(misses), []
    for number, scan in enumerate(seen, start=1):
        asked = BOTH[:1] if scan and scan.technology == "14443a" else BOTH
        if field.look(scan, asked, number * every_ms + 10_000) and scan:
            new.append(scan)
    return new


def test_a_card_is_new_once_until_it_was_missed_so_often() -> None:
    """Two misses are a bad angle, three are an empty field."""
    assert looks(NTAG, NTAG, None, None, NTAG) == [NTAG]
    assert looks(NTAG, None, None, None, NTAG) == [NTAG, NTAG]


def test_a_card_that_answers_a_little_differently_is_the_same_card() -> None:
    """One look without its ATS."""
    assert looks(E_KTP, NO_ATS, E_KTP) == [E_KTP]


def test_a_card_of_the_other_type_behind_it_is_missed_only_where_it_was_looked_for() -> None:
    """A wallet with an e-KTP and a SIM: type B is only asked for where no type A was found."""
    wallet = [E_KTP] * 9 + [SIM]
    assert looks(*wallet * 10) == [E_KTP, SIM]


def test_a_number_that_changes_at_each_look_is_one_card() -> None:
    """As a PUPI and a random UID may."""
    changing = [Scan("14443b", f"{number:08X}") for number in range(30)]
    assert looks(*changing) == changing[:1]
    random = [Scan("14443a", f"08{number:06X}", "random") for number in range(30)]
    assert looks(*random) == random[:1]


def test_a_second_card_that_keeps_its_number_is_another_card() -> None:
    """Two people with a SIM, one behind the other without an empty field between."""
    assert looks(SIM, SIM, OTHER_SIM, OTHER_SIM, THIRD, THIRD) == [SIM, OTHER_SIM, THIRD]
    assert looks(SIM, None, OTHER_SIM, OTHER_SIM) == [SIM, OTHER_SIM]


def test_after_a_long_interruption_everything_is_new() -> None:
    """Nobody knows what happened meanwhile."""
    assert looks(NTAG, NTAG, every_ms=3000) == [NTAG, NTAG]
    assert looks(NTAG, NTAG, every_ms=2999) == [NTAG]

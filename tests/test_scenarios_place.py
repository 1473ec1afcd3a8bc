"""Where: what a terminal says of its place while the receiver fails, lies or is carried away.

That each resolved time lies within its stated bounds is asserted for every scenario, in `outcomes`.
"""

import pytest
from scenario import MORNING, MakeScene, Outcome

from edge_agent.sim import day

WALKING_MPS = 1.4
#: 5 km in 10 minutes.
DRAGGING_MPS = 5000 / 600


def grades(found: dict[str, Outcome]) -> dict[str, str]:
    return {name: one.grade for name, one in found.items()}


def test_frozen_coordinates_are_suspect(scene: MakeScene) -> None:
    """No antenna stands as still as that while its time goes on; thawed it is believed again."""
    with scene("frozen, time goes on", MORNING) as stage:
        stage.believe()
        stage.tap("healthy")
        stage.receiver.frozen = True
        stage.listen()
        stage.tap("frozen 1 s")
        stage.pass_listening(360, step_s=30)
        stage.tap("frozen 6 min")
        stage.receiver.frozen = False
        stage.pass_listening(30)
        stage.tap("thawed")
        found = stage.outcomes()
        incidents = stage.incidents("suspect")
    assert grades(found) == {
        "healthy": "verified",
        "frozen 1 s": "verified",
        "frozen 6 min": "suspect",
        "thawed": "verified",
    }
    assert "frozen" in found["frozen 6 min"].reasons
    assert incidents == ["opened", "closed"]


def test_a_latched_receiver_has_no_fix(scene: MakeScene) -> None:
    """An epoch that is said again is no news: the place is held from before, then from nowhere."""
    with scene("latched, time repeats", MORNING) as stage:
        stage.believe()
        stage.tap("healthy")
        stage.receiver.latched = True
        stage.pass_listening(30)
        stage.tap("latched 30 s")
        stage.office.power_cut(60)
        stage.listen(10)
        stage.tap("latched, next boot")
        found = stage.outcomes()
    assert grades(found) == {
        "healthy": "verified",
        "latched 30 s": "held",
        "latched, next boot": "no_sky",
    }


def test_a_terminal_is_carried_300_m_away_and_back(scene: MakeScene) -> None:
    """At walking pace; outside while it is away, and an incident that ends."""
    walk_s = 300 / WALKING_MPS
    with scene("carried 300 m and back", MORNING) as stage:
        stage.believe()
        stage.tap("at home")
        stage.receiver.dragged = (20.0, WALKING_MPS)
        stage.pass_listening(walk_s, step_s=30)
        stage.receiver.dragged = None
        stage.listen()
        stage.tap("300 m away")
        stage.receiver.dragged = (200.0, WALKING_MPS)
        stage.pass_listening(walk_s, step_s=30)
        stage.receiver.dragged = None
        stage.listen()
        stage.tap("back")
        found = stage.outcomes()
        incidents = stage.incidents("moved")
    assert grades(found) == {"at home": "verified", "300 m away": "outside", "back": "verified"}
    assert incidents == ["opened", "closed"]


def test_what_was_verified_is_not_held_once_it_has_been_away(scene: MakeScene) -> None:
    """Carried away and then without sky, it may be anywhere."""
    with scene("carried off, no sky", MORNING) as stage:
        stage.believe()
        stage.tap("at home")
        stage.receiver.dragged = (20.0, 10.0)
        stage.pass_listening(60)
        stage.receiver.sky = False
        stage.pass_listening(30)
        stage.tap("no sky")
        found = stage.outcomes()
    assert grades(found) == {"at home": "verified", "no sky": "no_sky"}


@pytest.mark.parametrize("flagged", [False, True], ids=["silent", "flagged"])
def test_a_spoofer_drags_the_position_5_km_in_10_minutes(scene: MakeScene, flagged: bool) -> None:
    """A receiver that notices says so at once; one that does not is outside before long."""
    with scene(f"spoofer, {'flagged' if flagged else 'silent'}", MORNING) as stage:
        stage.receiver.on |= {"NAV-STATUS"}
        stage.believe()
        stage.tap("before")
        stage.receiver.dragged = (45.0, DRAGGING_MPS)
        stage.receiver.spoofing = 2 if flagged else 1
        stage.listen()
        stage.tap("begins")
        stage.pass_listening(60, step_s=20)
        stage.tap("after 1 min")
        stage.pass_listening(540, step_s=60)
        stage.tap("after 10 min")
        found = stage.outcomes()
    assert found["before"].grade == "verified"
    late = [found[name].grade for name in ("after 1 min", "after 10 min")]
    if flagged:
        assert [found["begins"].grade, *late] == ["suspect"] * 3
        assert "spoof" in found["after 10 min"].reasons
    else:
        assert late == ["outside"] * 2


def test_a_position_that_leaps_is_suspect(scene: MakeScene) -> None:
    """5 km from one second to the next, and as far back."""
    with scene("spoofer, at one leap", MORNING) as stage:
        stage.believe()
        stage.tap("before")
        stage.receiver.latitude += 0.045
        stage.listen()
        stage.tap("5 km away")
        stage.receiver.latitude = day.SITE.latitude
        stage.listen()
        stage.tap("back")
        found = stage.outcomes()
    assert found["5 km away"].grade == "suspect"
    assert "jump" in found["5 km away"].reasons
    assert found["back"].grade == "verified"


def test_the_antenna_is_cut(scene: MakeScene) -> None:
    """Held while this boot lasts, nothing in the next; time goes on by the oscillator."""
    with scene("antenna cut", MORNING) as stage:
        stage.believe()
        stage.tap("healthy")
        stage.receiver.antenna = False
        stage.pass_listening(30)
        stage.tap("cut 30 s")
        stage.pass_s(3600)
        stage.listen()
        stage.tap("cut 1 h")
        stage.office.power_cut(60)
        stage.listen()
        stage.tap("next boot")
        stage.receiver.antenna = True
        stage.believe()
        stage.tap("mended")
        found = stage.outcomes()
    assert grades(found) == {
        "healthy": "verified",
        "cut 30 s": "held",
        "cut 1 h": "held",
        "next boot": "no_sky",
        "mended": "verified",
    }


def test_a_simulated_or_typed_position_is_suspect(scene: MakeScene) -> None:
    """However well it lies inside the fence, and only while it is one."""
    with scene("simulator mode", MORNING) as stage:
        stage.believe()
        stage.tap("healthy")
        for mode, word in (("S", "simulator"), ("M", "manual")):
            stage.receiver.mode = mode
            stage.listen()
            stage.tap(word)
            stage.receiver.mode = "A"
            stage.listen()
            stage.tap(f"satellites after {word}")
        found = stage.outcomes()
    assert list(grades(found).values()) == ["verified", "suspect"] * 2 + ["verified"]
    for word in ("simulator", "manual"):
        assert found[word].reasons == word


def test_a_weak_signal_proves_nothing(scene: MakeScene) -> None:
    """Three satellites in two dimensions: held if it was verified before, else no sky."""
    with scene("weak signal", MORNING) as stage:
        stage.receiver.weak = True
        stage.listen(10)
        stage.tap("weak from the start")
        stage.receiver.weak = False
        stage.believe()
        stage.tap("strong")
        stage.receiver.weak = True
        stage.listen()
        stage.tap("weak again")
        found = stage.outcomes()
    assert list(grades(found).values()) == ["no_sky", "verified", "held"]

"""Every kind of scanner on one terminal, and people at all of them; `sim crowd` plays it longer."""

from edge_agent.sim import crowd


def test_every_tap_at_every_kind_of_scanner_is_one_punch_in_time() -> None:
    """Half a minute of it: each tap once, delivered, and answered within 300 ms at p95."""
    said: list[str] = []
    outcome = crowd.play(0.5, said.append, seed=3)
    print("\n".join(crowd.describe(outcome)))
    assert outcome.taps == outcome.punches
    assert len(outcome.taps) == len(crowd.SCANNERS) + 1
    assert outcome.account is not None
    assert outcome.account.green == sum(outcome.taps.values())
    assert outcome.holds


def test_a_tap_that_is_no_punch_is_told() -> None:
    """An outcome that does not hold says so."""
    outcome = crowd.Outcome()
    outcome.taps["front"] = 1
    assert not outcome.holds

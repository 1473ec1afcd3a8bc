"""Models that are asked: what to say, and whose answer came. Pure.

Nothing is ever said but the `identify.ask` of a profile, which changes nothing in any device.
Models of one family share a question; each says in `identify.answer` what its own answer looks
like, and the expression that insists on most digits is the most exact.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge_agent.technician.model import Finding, Model, Sure, candidate


@dataclass(frozen=True, slots=True)
class Question:
    """What is said, at which speed, how long its answer may take, and who might give it."""

    baud: int
    data: bytes
    wait_ms: int
    models: tuple[Model, ...]


def questions(models: Iterable[Model]) -> list[Question]:
    """Each question once a speed: at the models' own speeds first, the quick ones first."""
    askers: dict[tuple[int, bytes], list[Model]] = {}
    for model in models:
        identify = model.profile.identify
        if data := bytes.fromhex(identify.ask):
            for baud in {model.profile.baud, *identify.bauds}:
                askers.setdefault((baud, data), []).append(model)
    found = [
        Question(baud, data, max(one.profile.identify.wait_ms for one in group), tuple(group))
        for (baud, data), group in askers.items()
    ]
    return sorted(found, key=_order)


def recognise(
    models: Iterable[Model], heard: bytes, usb: str = "", question: Question | None = None
) -> Finding | None:
    """Whose answer is in these bytes, which came after `question`, or were captured.

    Of two models that fit, the one with the id `usb` is first, then the more exact one.
    """
    fit = [model for model in models if model.profile.identify.ask and model.answers(heard)]
    if not fit:
        return None
    fit.sort(key=lambda one: (not one.has_usb(usb), -one.exactness(heard), one.name))
    baud = question.baud if question else None
    candidates = tuple(candidate(model, baud) for model in fit)
    if question is None:
        return Finding(Sure.PROBABLE, "the answer of such a device is in it", candidates)
    return Finding(Sure.CERTAIN, f"it answered as such a device does, at {baud} baud", candidates)


def _order(question: Question) -> tuple[bool, int, int, bytes]:
    own = any(model.profile.baud == question.baud for model in question.models)
    return not own, question.wait_ms, question.baud, question.data

"""What people said against what was measured: both are shown, and neither overwrites the other.

    listed(assessment)          all of them
    measured(view, values)      of one window; `Plant.contradictions` has those that need no measurement

A contradiction is a question for the next visit, never a judgement: the counter that ran beyond its declared
modulus may be another one than the mentor meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.alarms import is_active
from readiness.indicators import REGISTRY
from readiness.plant import Contradiction
from readiness.seen import names_something

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.report import Value
    from readiness.report import Assessment
    from readiness.view import View

CODES = {
    "two_answers": ("two people answer differently; the later answer counts",
                    "두 응답이 다름(나중 응답을 적용)"),
    "configuration": ("the configuration says something else; the answer counts",
                      "설정 파일과 응답이 다름(응답을 적용)"),
    "native": ("the device itself says something else; the device counts",
               "설비가 직접 알려 준 값과 응답이 다름(설비 값을 적용)"),
    "unknown_machine": ("no such machine in the inventory; the answer is left out",
                        "설비 목록에 없는 설비(응답 미적용)"),
    "unknown_signal": ("no such signal is read", "수집하지 않는 태그"),
    "no_such_value": ("the signal cannot have this value; it is left out", "이 태그에서 나올 수 없는 값(미적용)"),
    "same_name": ("another machine has this name: is it the same one?",
                  "이름이 같은 설비가 있음(같은 설비인지 확인)"),
    "claim": ("the measured value with its interval lies elsewhere", "측정값(신뢰구간)과 응답이 다름"),
    "alarms_seen": ("said to have no alarms, and one was active", "알람이 없다고 응답했으나 알람이 발생함"),
    "products_seen": ("said to make one product, and more were shown",
                      "단일 품목이라고 응답했으나 품목이 둘 이상 표시됨"),
    "modulus_passed": ("the counter has passed its declared modulus", "카운터가 응답한 최댓값을 넘음"),
}  # fmt: skip
"""Code of a contradiction -> what it means (English, Korean). The first seven are found when answers are joined."""
SHOWN = 5


def listed(assessment: Assessment, plant: Iterable[Value] = ()) -> list[Contradiction]:
    """Return everything that was said of a plant and does not fit, to other words or to what was measured.

    Args:
        assessment: Of the plant.
        plant: Values of the whole plant, where they are known already.
    """
    view, claims = assessment.view, assessment.view.plant.claims
    machines = {machine.id for machine in view.inventory}
    asked = any(claim.machine is None for claim in claims)
    whole = (list(plant) or assessment.values().values()) if asked else ()
    single = [
        assessment.value(claim.metric, claim.machine)
        for claim in claims
        if claim.machine in machines and claim.metric in REGISTRY
    ]
    return [*view.plant.contradictions, *measured(view, [*whole, *single])]


def measured(view: View, values: Iterable[Value]) -> list[Contradiction]:
    """Return what was said of a plant and does not fit what was measured, in one order.

    Args:
        view: Of the window.
        values: Of the report, plant and machines.
    """
    found = [*_claims(view, values)]
    for machine in view.inventory:
        found += _alarms(view, machine.id)
        found += _products(view, machine.id)
    found += _moduli(view)
    return sorted(found, key=lambda c: (c.code, c.subject, c.machine or "", c.who, c.said))


def _said(view: View, subject: str) -> tuple[str, str]:
    return view.plant.said.get(subject, ("", ""))


def _claims(view: View, values: Iterable[Value]) -> Iterator[Contradiction]:
    by_place = {(v.metric, v.machine): v for v in values if v.value is not None}
    for claim in view.plant.claims:
        value = by_place.get((claim.metric, claim.machine))
        if value is None or value.value is None:
            continue
        low = value.value if value.lo is None else value.lo
        high = value.value if value.hi is None and value.lo is None else value.hi
        rounding = 0.005 * max(abs(value.value), abs(claim.value), 1e-6)  # people round
        if claim.value < low - rounding or (high is not None and claim.value > high + rounding):
            seen = f"{value.value:g}" if value.lo is None else f"{low:g}-{'' if high is None else f'{high:g}'}"
            yield Contradiction(
                code="claim", subject=claim.metric, machine=claim.machine, said=f"{claim.value:g}", seen=seen,
                who=claim.author, when=claim.date,
            )  # fmt: skip


def _alarms(view: View, machine: str) -> Iterator[Contradiction]:
    if view.plant.of(machine).has_alarms != "no":
        return
    active = []
    for name in view.signals(machine, "alarm"):
        track = view.seen.track(name)
        if track is not None and (track.where(is_active).length() or any(is_active(r.label) for r in track.rest)):
            active.append(name)
    if active:
        who, when = _said(view, f"machine {machine} has_alarms")
        yield Contradiction(
            code="alarms_seen", subject=f"machine {machine} has_alarms", machine=machine, said="no",
            seen=_few(active), who=who, when=when,
        )  # fmt: skip


def _products(view: View, machine: str) -> Iterator[Contradiction]:
    if view.plant.of(machine).single_product != "yes":
        return
    for name in view.signals(machine, "product"):
        track = view.seen.track(name)
        labels = [] if track is None else [*track.label, *(r.label for r in track.rest)]
        shown = sorted({str(label) for label in labels if names_something(label)})
        if len(shown) > 1:
            who, when = _said(view, f"machine {machine} single_product")
            yield Contradiction(
                code="products_seen", subject=f"machine {machine} single_product", machine=machine, said="yes",
                seen=f"{name}: {_few(shown)}", who=who, when=when,
            )  # fmt: skip


def _moduli(view: View) -> Iterator[Contradiction]:
    for name, meaning in sorted(view.plant.meanings.items()):
        if meaning.modulus is None or meaning.origin == "guess":
            continue
        largest = max(
            (
                value * count.unit
                for _, _, count in view.seen.counts(name)
                for value in (count.first, count.last, *count.back[1::3])
            ),
            default=0.0,
        )
        if largest >= meaning.modulus:
            who, when = _said(view, f"signal {name} modulus")
            yield Contradiction(
                code="modulus_passed", subject=f"signal {name} modulus", machine=name.partition("/")[0],
                said=str(meaning.modulus), seen=f"{largest:.0f}", who=who, when=when,
            )  # fmt: skip


def _few(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" (+{len(names) - SHOWN})" if len(names) > SHOWN else "")

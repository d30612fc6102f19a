"""Key performance indicators of ISO 22400-2, over any set of machines, products and days.

Sums are added first and divided last: averages of ratios are wrong (three machines with OEE 0.833, 0.200 and 0.453
have 0.594 together, not their mean 0.495).

    A (availability)      = sum APT / sum PBT
    E (effectiveness)     = sum PRI PQ / sum APT          over the time whose product has an ideal cycle
                                                          and whose pieces were seen being counted
    QR (quality rate)     = sum PRI GQ / sum PRI PQ       weighted by time, so that A E QR = sum PRI GQ / sum PBT
    OEE                   = A E QR
    allocation efficiency = AUBT / PBT,   utilisation efficiency = APT / AUBT
    technical efficiency  = APT / (APT + ADET),   setup ratio = AUST / AUPT
    MTBF = (APT + ADET) / (FE + 1),   MTTF = APT / (FE + 1),   MTTR = ADET / (FE + 1)      FE: failures

Many tools divide by FE; ISO 22400-2 has FE + 1, and so have we. Without planned busy time nothing is assessed (an
availability of 100 % of nothing says nothing). Unknown time is part of PBT and of nothing else: A is what is shown
to have been production. An effectiveness above 1.05 means that the ideal cycle is wrong: flagged, never capped.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

SLACK = 1.05
FASTER_THAN_IDEAL = "FASTER_THAN_IDEAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Sums that KPIs are made of; times in any one unit, that of `ideal` as well.

    Attributes:
        pbt: Planned busy time.
        apt: Actual production time.
        aust: Actual unit setup time.
        adet: Actual unit delay time.
        adot: Actual unit down time.
        unknown: Part of PBT of which nothing is known.
        priced: Part of APT in which a product with an ideal cycle was known, and its pieces were counted in sight.
        ideal: PRI PQ over pieces of that part.
        checked: The part of `ideal` of which good or reject pieces are counted too.
        good: PRI GQ over `checked`.
        failures: How often a failure began.
    """

    pbt: float = 0.0
    apt: float = 0.0
    aust: float = 0.0
    adet: float = 0.0
    adot: float = 0.0
    unknown: float = 0.0
    priced: float = 0.0
    ideal: float = 0.0
    checked: float = 0.0
    good: float = 0.0
    failures: int = 0

    def __add__(self, other: Basis) -> Basis:
        return Basis(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Basis)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """Ratios, None where the divisor is 0 or something is not counted; times in the unit of the basis."""

    availability: float | None
    effectiveness: float | None
    quality: float | None
    oee: float | None
    allocation: float | None
    utilisation: float | None
    technical: float | None
    setup: float | None
    mtbf: float | None
    mttf: float | None
    mttr: float | None
    unknown: float | None
    priced: float | None
    failures: int
    divisor: str = "failures + 1"
    flags: tuple[str, ...] = ()


def kpis(basis: Basis) -> Kpis | None:
    """Return the KPIs of sums; None without planned busy time."""
    if basis.pbt <= 0:
        return None
    availability = basis.apt / basis.pbt
    effectiveness = _ratio(basis.ideal, basis.priced)
    quality = _ratio(basis.good, basis.checked)
    whole = effectiveness is not None and quality is not None
    aupt = basis.apt + basis.aust
    aubt = aupt + basis.adet
    told = aubt + basis.adot > 0  # of a machine that nothing is known about, failures are unknown too
    events = basis.failures + 1
    return Kpis(
        availability=availability,
        effectiveness=effectiveness,
        quality=quality,
        oee=availability * (effectiveness or 0.0) * (quality or 0.0) if whole else None,
        allocation=aubt / basis.pbt,
        utilisation=_ratio(basis.apt, aubt),
        technical=_ratio(basis.apt, basis.apt + basis.adet),
        setup=_ratio(basis.aust, aupt),
        mtbf=(basis.apt + basis.adet) / events if told else None,
        mttf=basis.apt / events if told else None,
        mttr=basis.adet / events if told else None,
        unknown=basis.unknown / basis.pbt,
        priced=_ratio(basis.priced, basis.apt),
        failures=basis.failures,
        flags=(FASTER_THAN_IDEAL,) if effectiveness is not None and effectiveness > SLACK else (),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None

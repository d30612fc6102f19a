"""Whether an item and a solution can go together: thirteen constraints, each evaluated by itself, for one pair.

None looks at what another has found, so the failed ones are exactly what has to change. `columns` evaluates the
same predicates for millions of pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.matching.terms import Check, Constraint, Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from techsquare.matching.terms import Item, Property, Solution, Supplier

CONSTRAINTS: tuple[Constraint, ...] = (
    "active", "excluded", "conflict", "capability", "process", "interface", "fit", "region", "price",
    "prerequisite", "consent", "continuity", "capacity",
)  # fmt: skip
CONTINUITY = frozenset({"store", "tags", "interface", "export"})
"""What stays usable when the supplier is gone: data in the factory's store, tag list, open interface, export."""
PROBATION = 3
"""Decided outcomes until which a supplier is on probation, and has at most `PROBATION_OPEN` engagements at once."""
PROBATION_OPEN = 2


def most_open(verified: int) -> int:
    """Return how many engagements a supplier may have open at once: two on probation, more with each outcome."""
    return PROBATION_OPEN if verified < PROBATION else PROBATION_OPEN + verified


def places(supplier: Supplier) -> int:
    """Return how many new engagements a supplier may begin now."""
    return max(0, min(supplier.slots, most_open(supplier.verified) - supplier.open))


def covers(offered: Property, needed: Property) -> bool:
    """Tell whether an offered property covers a need.

    An end that the need leaves open is not asked for; one that the offer leaves open has no limit.
    """
    low = needed.low is None or offered.low is None or offered.low <= needed.low
    high = needed.high is None or offered.high is None or offered.high >= needed.high
    return low and high and needed.words <= offered.words


def lacking(
    offered: Mapping[str, Mapping[str, Property]], needed: Mapping[str, Mapping[str, Property]]
) -> list[str]:
    """Return the capabilities and properties of a need that an offer does not cover, in order of their names."""
    found: list[str] = []
    for name in sorted(needed):
        if name not in offered:
            found.append(name)
            continue
        has = offered[name]
        found += [
            f"{name}.{property_}"
            for property_, value in sorted(needed[name].items())
            if property_ not in has or not covers(has[property_], value)
        ]
    return found


def reads(spoken: frozenset[str], solution: Solution) -> bool:
    """Tell whether a solution reads a machine that speaks some protocols; one that names none needs none."""
    return not solution.interfaces or bool(spoken & solution.interfaces)


def reaches(region: str, solution: Solution) -> bool:
    """Tell whether a solution is to be had in a region."""
    return solution.remote or region in solution.regions


def checks(item: Item, solution: Solution, supplier: Supplier) -> tuple[Check, ...]:
    """Return all constraints of a pair in the order in which they are told, with evidence."""
    named = sorted(item.excluded & {solution.id, supplier.id})
    related = sorted((item.related | {item.factory}) & supplier.parties)
    missing = lacking(solution.capabilities, item.capabilities)
    tested = item.fit.get(solution.id)
    unagreed = sorted(solution.needs_consent - item.consents)
    unkept = sorted(CONTINUITY - solution.continuity)
    limit = most_open(supplier.verified)
    where = "remote" if solution.remote else _words(solution.regions)
    stage = "on probation" if supplier.verified < PROBATION else "after probation"
    found: tuple[tuple[Constraint, bool, str], ...] = (
        ("active", supplier.active, "works" if supplier.active else "closed or suspended"),
        ("excluded", not named, f"excluded by the owner: {_words(named)}" if named else "not excluded"),
        ("conflict", not related, f"related: {_words(related)}" if related else "none declared"),
        ("capability", not missing, f"lacks {_words(missing)}" if missing else _words(item.capabilities)),
        ("process", item.process in solution.processes, f"{item.process}; for {_words(solution.processes)}"),
        (
            "interface",
            reads(item.interfaces, solution),
            f"machine: {_words(item.interfaces)}; solution: {_words(solution.interfaces)}",
        ),
        ("fit", tested != "fail", tested or "unknown"),
        ("region", reaches(item.region, solution), f"{item.region}; {where}"),
        (
            "price",
            solution.price.low <= item.most_won,
            f"from {solution.price.low:.0f}; can pay {item.most_won} won",
        ),
        (
            "prerequisite",
            not item.missing_prerequisites,
            f"missing: {_words(item.missing_prerequisites)}" if item.missing_prerequisites else "stand",
        ),
        ("consent", not unagreed, f"not agreed: {_words(unagreed)}" if unagreed else "agreed"),
        ("continuity", not unkept, f"lacks {_words(unkept)}" if unkept else _words(CONTINUITY)),
        (
            "capacity",
            places(supplier) > 0,
            f"{supplier.slots} slots; {supplier.open} open of {limit}, {stage} ({supplier.verified} verified)",
        ),
    )
    return tuple(Check(*one) for one in found)


def judged(item: Item, solution: Solution, supplier: Supplier) -> Pair:
    """Return a pair with the constraints that fail and the words that show it; a candidate when none does."""
    failed = [one for one in checks(item, solution, supplier) if not one.holds]
    return Pair(
        item=item.id,
        solution=solution.id,
        failed=frozenset(one.constraint for one in failed),
        evidence={one.constraint: one.evidence for one in failed},
    )


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"

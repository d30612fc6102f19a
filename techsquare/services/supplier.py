"""What a supplier says of itself: solutions, versions with what they can do, slots of a quarter.

A version is a draft until it is registered; then it is hashed and never changes: a better one is another version.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import shelf
from techsquare.services.refused import RefusedError
from techsquare.services.rights import need, seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller

_HASHED = (
    "solution_id", "version", "processes", "interfaces", "regions", "remote", "price_low", "price_high",
    "yearly_low", "yearly_high", "exit_low", "exit_high", "needs_consent", "requires", "continuity",
)  # fmt: skip


def solution(session: Session, caller: Caller, supplier: str, family: str, name: str) -> t.Solution:
    """Register a solution of a family of the catalogue.

    Raises:
        RefusedError: `wrong_role`; `no_family`.
        ConflictError: the supplier has one of this name.
    """
    need(caller, "supplier", supplier)
    if session.get(t.Measure, family) is None:
        raise RefusedError("no_family")
    row = t.Solution(id=new_id(), supplier_id=supplier, family=family, name=name)
    add(session, row)
    return row


def version(
    session: Session,
    caller: Caller,
    solution_id: str,
    about: Mapping[str, Any],
    capabilities: Mapping[str, Mapping[str, Any]],
    needs: Sequence[Mapping[str, Any]] = (),
) -> t.SolutionVersion:
    """Draft a version with what it can do, and what it needs (`services.fit.checked`).

    Raises:
        RefusedError: `not_there`; `wrong_role`; `no_capability`: one that the catalogue does not know.
        ConflictError: the solution has a version of this name.
    """
    owner = seen(session, caller, t.Solution, solution_id)
    need(caller, "supplier", owner.supplier_id)
    unknown = sorted(name for name in capabilities if session.get(t.Capability, name) is None)
    if unknown:
        raise RefusedError("no_capability", capabilities=unknown)
    requires = {**about.get("requires", {}), **({"needs": [dict(one) for one in needs]} if needs else {})}
    row = t.SolutionVersion(
        id=new_id(), solution_id=solution_id, supplier_id=owner.supplier_id, state="draft",
        **{**about, "requires": requires},
    )  # fmt: skip
    offers = [
        t.VersionCapability(version_id=row.id, capability_id=name, properties=dict(properties))
        for name, properties in sorted(capabilities.items())
    ]
    add(session, row, *offers)
    return row


def register(session: Session, caller: Caller, version_id: str) -> t.SolutionVersion:
    """Register a draft: from now on it is offered.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `not_draft`.
    """
    row = seen(session, caller, t.SolutionVersion, version_id)
    need(caller, "supplier", row.supplier_id)
    if row.state != "draft":
        raise RefusedError("not_draft")
    said = json.dumps({name: getattr(row, name) for name in _HASHED}, sort_keys=True, ensure_ascii=False)
    row.hash = hashlib.sha256(said.encode()).hexdigest()
    shelf.settle(session, row, caller.now)
    row.state, row.registered_at = "registered", caller.now
    shelf.settle(session, row, caller.now)
    return row


def withdraw(session: Session, caller: Caller, version_id: str) -> t.SolutionVersion:
    """Take a registered version off the market; what was sold of it stays.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `not_open`: it is not registered.
    """
    row = seen(session, caller, t.SolutionVersion, version_id)
    need(caller, "supplier", row.supplier_id)
    if row.state != "registered":
        raise RefusedError("not_open", state=row.state)
    shelf.settle(session, row, caller.now)
    row.state = "withdrawn"
    return row


def slots(session: Session, caller: Caller, supplier: str, quarter: str, declared: int) -> t.Slot:
    """Say how many projects can be begun in a quarter.

    Raises:
        RefusedError: `wrong_role`; `slots_used`: more are used already.
    """
    need(caller, "supplier", supplier)
    row = session.get(t.Slot, (supplier, quarter))
    if row is None:
        row = t.Slot(supplier_id=supplier, quarter=quarter, declared=declared, used=0)
        add(session, row)
        return row
    if row.used > declared:
        raise RefusedError("slots_used", used=row.used)
    row.declared = declared
    return row

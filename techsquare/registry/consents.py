"""What an owner agrees to, where he may say it in two places: in his agent's file, and here (decision 125).

    manifest    what the agent's manifest tells: what leaves the factory. Intake keeps nothing beyond it
    platform    his own record here: what may be kept and used. It can take back at once, and gives nothing that
                the manifest does not

Where both speak, the stricter holds. Where no manifest ever has (a report made of stored data, records that an
existing platform hands in), his record here stands alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, tuple_

from techsquare.registry.factories import Consent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.registry.factories import ConsentSource

    AgentKey = tuple[str, str]


class Said(NamedTuple):
    """Scopes, and the first day on which they no longer hold."""

    scopes: frozenset[str]
    until: date | None = None


def effective(said: Mapping[ConsentSource, Said], today: date | None = None) -> frozenset[str] | None:
    """Return what holds of what was said in either place; None where nobody has ever said anything.

    Args:
        said: The latest word in each place.
        today: On which it is asked; None: ends of consents are not looked at.
    """
    scopes = [
        frozenset[str]() if today is not None and one.until is not None and today >= one.until else one.scopes
        for one in said.values()
    ]
    return frozenset.intersection(*scopes) if scopes else None


def latest(session: Session, agents: Iterable[AgentKey]) -> dict[AgentKey, dict[ConsentSource, Said]]:
    """Return the latest word of each place, by agent."""
    found: dict[AgentKey, dict[ConsentSource, Said]] = {}
    for factory, agent, source, scopes, until in session.execute(
        select(Consent.factory_id, Consent.agent_id, Consent.source, Consent.scopes, Consent.until)
        .where(tuple_(Consent.factory_id, Consent.agent_id).in_(sorted(set(agents))))
        .order_by(Consent.since, Consent.serial)
    ):
        found.setdefault((factory, agent), {})[source] = Said(frozenset(scopes), until)
    return found


def of_factory(session: Session, factory: str, today: date | None = None) -> frozenset[str]:
    """Return what a factory's owner agrees to for any of its agents."""
    agents = session.execute(select(Consent.agent_id).where(Consent.factory_id == factory).distinct()).scalars()
    told = latest(session, [(factory, agent) for agent in agents])
    return frozenset[str]().union(*(effective(said, today) or () for said in told.values()))

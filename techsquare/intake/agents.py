"""What is known of agents, read in the transaction that acts on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select, tuple_

from contract.errors import WireError
from contract.signing import PublicKey, key_id, key_of
from techsquare.intake import checks
from techsquare.intake.manifests import kept
from techsquare.intake.terms import AgentKey, Held
from techsquare.registry import consents
from techsquare.registry.factories import Agent, Factory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

ZONE = "Asia/Seoul"


def known(session: Session, agents: Iterable[AgentKey], now: int) -> dict[AgentKey, Held]:
    """Return what is known of agents: those that have a row."""
    wanted = sorted(set(agents))
    rows = session.execute(
        select(
            Agent.factory_id, Agent.id, Agent.reporter, Agent.public_key, Agent.chain_number, Agent.chain_date,
            Agent.chain_head, Agent.made_at, Agent.seen_at, Agent.manifest, Factory.zone, Factory.notice_at,
            Factory.notice_scopes,
        )
        .join(Factory, Factory.id == Agent.factory_id)
        .where(tuple_(Agent.factory_id, Agent.id).in_(wanted))
    ).all()  # fmt: skip
    said = consents.latest(session, wanted)
    found = {}
    for (
        factory,
        agent,
        reporter,
        public_key,
        number,
        day,
        chain_head,
        made_at,
        seen_at,
        text,
        zone,
        *notice,
    ) in rows:
        key = _readable(public_key)
        today = datetime.fromtimestamp(now / 1e9, UTC).astimezone(ZoneInfo(zone or ZONE)).date()
        manifest = kept(text)
        head = None if manifest is None or manifest.chain is None else manifest.chain
        found[factory, agent] = Held(
            factory, agent, reporter, key, "" if key is None else key_id(key),
            checks.told(consents.effective(said.get((factory, agent), {}), today), *notice),
            None if head is None else (head.number, checks.calendar(head.date)), number, day,
            chain_head, made_at, seen_at,
        )  # fmt: skip
    return found


def _readable(public_key: str | None) -> PublicKey | None:
    """Return a key; one that nobody can read is none: it must not keep other agents from being looked at."""
    try:
        return None if public_key is None else key_of(public_key)
    except WireError:
        return None


def reporters(session: Session) -> list[AgentKey]:
    """Return the agents that sign for their factories."""
    found = session.execute(
        select(Agent.factory_id, Agent.id)
        .where(Agent.reporter, Agent.public_key.is_not(None))
        .order_by(Agent.factory_id, Agent.id)
    )
    return [(factory, agent) for factory, agent in found]

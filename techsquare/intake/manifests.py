"""Manifests: first contact, changed keys, who signs for the factory, consent as a history, machines.

    a key that was registered before     is his: nobody is asked
    nobody signs for the factory yet     the key is pinned, and the owner is asked whether it is his box; where he
                                         has ever said no, it waits as a changed one does
    another key than the pinned one      waits in `next_key` for the owner; nothing else of the message counts
    an agent says that it signs now      counts where the one before names it or has resigned, else it is a question
    another consent                      goes into the history; what was taken back goes after a week (`watch`)

A manifest that changes none of this is a plain update and no decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from contract.codec import decode
from contract.errors import WireError
from contract.manifest import Manifest
from techsquare.intake.checks import given, instant
from techsquare.intake.questions import ask, distrusted
from techsquare.intake.terms import Outcome, Question
from techsquare.registry.bulk import add_machines
from techsquare.registry.factories import Agent, Consent, Factory, Machine

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


_UNKNOWN_SCOPES = {"raw_hosted"}  # says where raw data passes, and lets us keep nothing


def remarkable(row: Agent, found: Manifest, latest: Consent | None) -> bool:
    """Return whether a manifest says more than that the time goes on, so that it has to be decided on."""
    if row.public_key != found.public_key or (found.reporter == found.agent) is not row.reporter:
        return True
    since, serial, *_ = given(found.consent)
    if latest is None or (latest.since, latest.serial) != (since, serial):
        return True
    before = kept(row.manifest)
    return before is None or before.machines != found.machines or before.site != found.site


def renew(session: Session, found: Manifest, raw: bytes, now: int) -> Outcome:
    """Keep a manifest that changes nothing. In `Registry.load`."""
    made = instant(found.made_at)
    done = session.connection().execute(
        update(Agent)
        .where(Agent.factory_id == found.factory, Agent.id == found.agent)
        .where(Agent.public_key == found.public_key, or_(Agent.made_at.is_(None), Agent.made_at <= made))
        .values(manifest=raw.decode(), made_at=made, seen_at=now)
    )
    return Outcome("stored" if done.rowcount else "older")


def take(session: Session, found: Manifest, raw: bytes, now: int) -> Outcome:
    """Decide on a manifest. In `Registry.decide`.

    Args:
        session: Of a decision.
        found: From `checks.manifest`.
        raw: As it came.
        now: UTC ns.
    """
    factory, agent = found.factory, found.agent
    if session.get(Factory, factory) is None:
        return Outcome("unknown", f"no factory {factory} is registered here")
    made, claims = instant(found.made_at), found.reporter == agent
    row = session.get(Agent, (factory, agent))
    if row is None:
        row = Agent(factory_id=factory, id=agent, site=found.site, reporter=False)
        session.add(row)
        session.flush()
    row.seen_at = now
    if row.public_key is not None and row.public_key != found.public_key:
        return _waits(session, row, found, "key_changed", now)
    if row.made_at is not None and made < row.made_at:
        return Outcome("older")
    signs = session.scalars(select(Agent).where(Agent.factory_id == factory, Agent.reporter)).one_or_none()
    if claims and signs is not None and signs is not row and not _resigned(signs, agent):
        return _waits(session, row, found, "reporter_changed", now)
    if row.public_key is None and distrusted(session, factory):
        return _waits(session, row, found, "key_changed", now)
    if claims and signs is None and row.public_key is None:
        ask(session, [Question(factory, "key_first", _about(found))], now)
    if signs is not None and signs is not row and claims:
        signs.reporter = False
        session.flush()
    row.public_key, row.reporter, row.site = found.public_key, claims, found.site
    row.manifest, row.made_at = raw.decode(), made
    if row.next_key == found.public_key:
        row.next_key = None
    _consent(session, found, now)
    _machines(session, found)
    return Outcome("stored")


def _waits(session: Session, row: Agent, found: Manifest, kind: str, now: int) -> Outcome:
    row.next_key = found.public_key
    ask(session, [Question(found.factory, kind, _about(found))], now)
    return Outcome("unpinned", "the owner has to say first that this key is his")


def _about(found: Manifest) -> tuple[tuple[str, str | int], ...]:
    return ("agent", found.agent), ("key", found.key), ("public_key", found.public_key)


def _resigned(before: Agent, agent: str) -> bool:
    """Return whether the agent that signed until now says itself that another one does."""
    said = kept(before.manifest)
    return said is not None and said.reporter == agent


def kept(text: str | None) -> Manifest | None:
    """Return a manifest as the registry has it, None for none."""
    if text is None:
        return None
    try:
        return decode(text.encode(), Manifest)
    except WireError:  # of a newer program
        return None


def latest(session: Session, factory: str, agent: str) -> Consent | None:
    """Return what the agent's manifests said last."""
    return session.scalars(
        select(Consent)
        .where(Consent.factory_id == factory, Consent.agent_id == agent, Consent.source == "manifest")
        .order_by(Consent.since.desc(), Consent.serial.desc())
        .limit(1)
    ).one_or_none()


def _consent(session: Session, found: Manifest, now: int) -> None:
    since, serial, until, scopes = given(found.consent)
    scopes = [scope for scope in scopes if scope not in _UNKNOWN_SCOPES]
    before = latest(session, found.factory, found.agent)
    if before is not None and (before.since, before.serial) >= (since, serial):
        return
    session.add(
        Consent(
            factory_id=found.factory, agent_id=found.agent, source="manifest", since=since, serial=serial,
            until=until, scopes=scopes, recorded_at=now,
        )
    )  # fmt: skip
    session.flush()
    gone = sorted(set(before.scopes if before is not None else ()) - set(scopes))
    if gone:
        source = ("agent", found.agent), ("scopes", " ".join(gone)), ("since", str(since))
        ask(session, [Question(found.factory, "consent_withdrawn", source)], now)


def _machines(session: Session, found: Manifest) -> None:
    add_machines(session, found.factory, [(m.id, m.name, m.weight) for m in found.machines])
    session.flush()
    for machine in found.machines:
        row = session.get(Machine, (found.factory, machine.id))
        if row is not None and row.name == row.id != machine.name:  # known by a record only, so far
            row.name = machine.name

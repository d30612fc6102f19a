"""Lists of all open items: read in one state, computed, stored in one transaction.

    read       one snapshot of the database, a handful of statements (`market`)
    compute    outside of any transaction: nobody waits for it
    store      open items are locked; what was taken, wanted or placed in the meantime is left as it is; the old
               lists end, the new ones are inserted by whole columns while the next are made

Lists stand for `STANDS_DAYS`: a night makes those of items that have none, whose list is older, or one of whose
lines is off the market. The operator may have all of them made anew. The ledger gets a row for each supplier that
could have been shown, and the audit one entry with the counts and a hash of all lines.

In SQLite the one writer stores; in PostgreSQL the database works on a chunk while the next one is made here.
"""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import delete, func, select, update

from techsquare.matching.edges import NONE
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor, in_bulk
from techsquare.registry.dialect import among, insert_all
from techsquare.registry.ids import Ids, new_id
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.exposure import showings, store
from techsquare.services.lists import kept_of, terms_of
from techsquare.services.market import market, open_items, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.matching.night import Night
    from techsquare.matching.night import Word as Advice
    from techsquare.registry.store import Registry
    from techsquare.services.market import Market
    from techsquare.services.shops import Open

    Told = Callable[[float], None]

STANDS_DAYS = 30
CHUNK = 20_000
"""Lines that are inserted together."""
WAITING = 2
"""Chunks that may wait for the database."""
ACTOR = Actor("techsquare")
_COLUMNS = (
    "id", "item_id", "factory_id", "version_id", "supplier_id", "measure_id", "slot", "shown_by", "cost", "q10",
    "mean", "q90", "terms", "reasons", "shown_at",
)  # fmt: skip


class Computed(NamedTuple):
    """A night before it is stored. `advice`: item -> what is said of it."""

    rows: Mapping[str, Open]
    night: Night
    advice: Mapping[str, Advice]
    on: date
    now: int


def every(registry: Registry, catalogue: Catalogue, now: int, told: Told, actor: Actor = ACTOR) -> dict[str, Any]:
    """Make the lists of all open items."""
    return _made(registry, catalogue, now, told, actor, everything=True)


def due(registry: Registry, catalogue: Catalogue, now: int) -> dict[str, int]:
    """Make the lists that are due: the task of a night."""
    said = _made(registry, catalogue, now, lambda _: None, ACTOR, everything=False)
    return {name: said[name] for name in ("items", "offers")}


def _made(
    registry: Registry, catalogue: Catalogue, now: int, told: Told, actor: Actor, *, everything: bool
) -> dict[str, Any]:
    on = day_of(now)
    told(0.0)
    with registry.reading() as session:
        rows = open_items(session)
        if not everything:
            standing = _standing(session, now)
            rows = [row for row in rows if row.id not in standing]
        found = market(session, catalogue, rows, on) if rows else None
    if found is None or not found.items:
        return {"items": 0, "offers": 0, "advice": {}, "seed": seed_of(on)}
    told(0.35)
    done = computed(found, rows, on, now)
    told(0.6)
    stored = registry.load(lambda session: _stored(session, done, actor))
    said: dict[str, int] = {}
    for word in done.advice.values():
        said[word] = said.get(word, 0) + 1
    return {
        "items": len(done.advice), "offers": stored, "advice": dict(sorted(said.items())), "seed": seed_of(on),
    }  # fmt: skip


def computed(found: Market, rows: Sequence[Open], on: date, now: int) -> Computed:
    """Return the lists of a market."""
    night = found.night(on)
    return Computed({row.id: row for row in rows}, night, _advice(night), on, now)


def _standing(session: Session, now: int) -> set[str]:
    """Return the items whose list stands: young enough, and each line can still be had."""
    offer, version = t.Offer, t.SolutionVersion
    live = offer.ended_at.is_(None)
    gone = (
        select(offer.item_id)
        .join(version, version.id == offer.version_id)
        .join(t.Supplier, t.Supplier.id == offer.supplier_id)
        .where(live, (version.state != "registered") | (t.Supplier.state != "active"))
    )
    young = (
        select(offer.item_id)
        .where(live)
        .group_by(offer.item_id)
        .having(func.min(offer.shown_at) > now - STANDS_DAYS * DAY_NS)
    )
    return set(session.scalars(young)) - set(session.scalars(gone))


def _advice(night: Night) -> dict[str, Advice]:
    """Return what is said of each item; as `Night.advice`, for all of them at once."""
    best = night.lists.edges.best
    candidates = np.zeros(len(best), np.int64)
    if not night.values.known.all():
        for items, _ in night.columns.candidates():
            candidates += np.bincount(items, minlength=len(best))
    said: dict[str, Advice] = {}
    for item, won, some in zip(night.columns.items, best.tolist(), candidates.tolist(), strict=True):
        said[item.id] = ("not_known" if some else "nobody") if won == NONE else "offers" if won >= 0 else "not_now"
    return said


def _stored(session: Session, done: Computed, actor: Actor) -> int:
    """Store a night; return how many lines it has."""
    row, offer = t.RoadmapItem, t.Offer
    quiet = {"synchronize_session": False}
    locked = set(
        session.scalars(
            select(row.id)
            .where(row.state.in_(("open", "offered")), among(session, row.id, done.advice))
            .with_for_update()
        )
    )
    settled = select(offer.item_id).where(
        offer.ended_at.is_(None), (offer.answer == "wanted") | offer.round_id.is_not(None)
    )
    free = locked - set(session.scalars(settled))
    mine = among(session, offer.item_id, free)
    session.execute(
        update(offer).where(offer.ended_at.is_(None), mine).values(ended_at=done.now).execution_options(**quiet)
    )
    session.execute(delete(t.Failed).where(among(session, t.Failed.item_id, free)).execution_options(**quiet))
    by_word: dict[Advice, list[str]] = {}
    for item in sorted(free):
        by_word.setdefault(done.advice[item], []).append(item)
    for word, items in sorted(by_word.items()):
        state = "offered" if word == "offers" else "open"
        session.execute(
            update(row)
            .where(among(session, row.id, items), (row.state != state) | row.advice.is_distinct_from(word))
            .values(state=state, advice=word)
            .execution_options(**quiet)
        )
    count, digest = _inserted(session, _chunks(done, free))
    store(session, done.on, showings(done.night))
    in_bulk(session, actor, "offer", f"{done.on} {len(free)} items {count} offers", digest)
    return count


def _inserted(session: Session, chunks: Iterator[list[tuple[Any, ...]]]) -> tuple[int, str]:
    """Insert lines while the next are made; return how many there were, and their hash."""
    connection, whole, count = session.connection(), hashlib.sha256(), 0
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1) as writer:
        for chunk in chunks:
            count += len(chunk)
            whole.update(msgspec.json.encode(chunk))
            waiting.append(writer.submit(insert_all, connection, t.Offer.__table__, _COLUMNS, chunk))  # type: ignore[arg-type]
            if len(waiting) > WAITING:
                waiting.pop(0).result()
        for one in waiting:
            one.result()
    return count, whole.hexdigest()


def _chunks(done: Computed, free: set[str]) -> Iterator[list[tuple[Any, ...]]]:
    columns = done.night.columns
    fast_id = Ids(new_id.now, random.Random(new_id.bits(128)).getrandbits)  # noqa: S311 - ids keep no secret
    supplier = {one.id: one.supplier for one in columns.solutions}
    kept: dict[int, dict[str, Any]] = {}  # a solution's record is the same in all its lines
    chunk: list[tuple[Any, ...]] = []
    for one in done.night.offers():
        if one.item not in free:
            continue
        row = done.rows[one.item]
        reasons = kept.get(id(one.rate))
        if reasons is None:
            reasons = kept[id(one.rate)] = kept_of(one.rate)
        chunk.append(
            (
                fast_id(), row.id, row.factory, one.solution, supplier[one.solution], row.measure, one.slot, one.by,
                one.cost, one.q10, one.mean, one.q90, terms_of(one), reasons, done.now,
            )
        )  # fmt: skip
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk

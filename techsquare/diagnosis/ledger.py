"""What losses cost in a year, by the money rule: won where every rate is known, hours always.

    an hour of    on a limiting machine while orders wait              otherwise
    a stop        pieces an hour of production x good x contribution    avoidable cost of an hour
    speed         pieces an hour of ideal time x good x contribution    likewise
    scrap         pieces an hour of ideal time x contribution           likewise
                  and, in both, pieces an hour of ideal time x material of a piece

A machine that does not limit output loses no order by standing still; what an hour of it costs is what would not be
paid otherwise. Whether it limits, or whether orders wait, may be unknown: then the loss lies between both, and
needs the rates of both. A rate that nobody has said leaves hours, and its name in `lacking`.

Beside the span stands its `middle`: the same of what was seen alone, by the middle of each rate (decision 129).

Losses of several limiting machines may be about the same orders, so they are never added over machines here.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from techsquare.diagnosis.terms import LOSSES, Loss
from techsquare.span import Span, exactly, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from techsquare.diagnosis.terms import Account, Bucket, Lacking, Rates, Tell

    Worth = tuple[Span | None, tuple[Lacking, ...]]
    """Won, or None and what is lacking."""


def losses(accounts: Iterable[Account], rates: Rates) -> list[Loss]:
    """Return a loss for each bucket of each account that is one, in order of machine and bucket."""
    ordered = sorted(accounts, key=lambda account: account.machine)
    return [_loss(account, bucket, rates) for account in ordered for bucket in LOSSES if bucket in account.shares]


def _loss(account: Account, bucket: Bucket, rates: Rates) -> Loss:
    share = account.shares[bucket]
    hours = account.hours.get(bucket) or share.times(account.planned_hours)
    won, lacking = _won(account, bucket, hours, rates)
    middle = None
    if won is not None:
        seen, known = _seen(account), _middles(rates)
        priced = _won(seen, bucket, seen.shares[bucket].times(seen.planned_hours), known)[0]
        middle = None if priced is None else max(won.low, min(won.high, sum(priced) / 2))
    return Loss(
        machine=account.machine,
        bucket=bucket,
        share=share,
        hours_year=hours,
        won_year=won,
        lacking=lacking,
        coverage=account.coverage,
        days=account.days,
        source=account.source,
        flags=account.flags,
        middle=middle,
    )


def _seen(account: Account) -> Account:
    """Return an account of what was seen alone, with the middle of everything else."""
    planned = sum(account.time_us.values())
    return replace(
        account,
        planned_hours=_middle(account.planned_hours),
        shares={b: exactly(account.time_us.get(b, 0) / planned if planned else 0.0) for b in account.shares},
        made_hour=account.made_hour and _middle(account.made_hour),
        ideal_hour=account.ideal_hour and _middle(account.ideal_hour),
        good=account.good and _middle(account.good),
        hours={},
        pieces={bucket: _middle(span) for bucket, span in account.pieces.items()},
    )


def _middles(rates: Rates) -> Rates:
    told = {field.name: getattr(rates, field.name) for field in fields(rates)}
    known: dict[str, Any] = {name: _middle(one) for name, one in told.items() if isinstance(one, Span)}
    return replace(rates, **known)


def _middle(span: Span) -> Span:
    return exactly(sum(span) / 2)


def _won(account: Account, bucket: Bucket, hours: Span, rates: Rates) -> Worth:
    """Return what the hours of a bucket cost."""
    time = _time(account, bucket, hours, rates)
    if bucket != "scrap":
        return time
    material: Worth = (None, ("scrap_piece",)) if rates.scrap_piece is None else (rates.scrap_piece, ())
    return _all([time, _product([_pieces(account, bucket, hours), material])])


def limiting(account: Account, rates: Rates) -> Tell:
    """Return whether lost time of a machine is lost contribution."""
    told = {rates.limits.get(account.machine, "unknown"), rates.orders_wait}
    if "no" in told:
        return "no"
    return "unknown" if "unknown" in told else "yes"


def _time(account: Account, bucket: Bucket, hours: Span, rates: Rates) -> Worth:
    tell = limiting(account, rates)
    if tell == "yes":
        return _contribution(account, bucket, hours, rates)
    if tell == "no":
        return _avoidable(account, hours, rates)
    sold, kept = _contribution(account, bucket, hours, rates), _avoidable(account, hours, rates)
    if sold[0] is None or kept[0] is None:
        return None, _names(sold[1] + kept[1])
    return Span(min(sold[0].low, kept[0].low), max(sold[0].high, kept[0].high)), ()


def _contribution(account: Account, bucket: Bucket, hours: Span, rates: Rates) -> Worth:
    pieces = _pieces(account, bucket, hours)
    piece: Worth = (None, ("contribution",)) if rates.contribution_piece is None else (rates.contribution_piece, ())
    if bucket == "scrap":
        return _product([pieces, piece])  # a good piece in the place of each
    good = account.good or rates.good_share
    quality: Worth = (None, ("rejects",)) if good is None else (good, ())
    return _product([pieces, quality, piece])


def _pieces(account: Account, bucket: Bucket, hours: Span) -> Worth:
    """Return the pieces that the hours of a bucket stand for."""
    if bucket in account.pieces:
        return account.pieces[bucket], ()
    if account.made_hour is None:
        return None, ("pieces",)
    if bucket not in {"speed", "scrap"}:
        return hours.times(account.made_hour), ()
    return (None, ("ideal_cycle",)) if account.ideal_hour is None else (hours.times(account.ideal_hour), ())


def _avoidable(account: Account, hours: Span, rates: Rates) -> Worth:
    if rates.avoidable_hour is not None:
        return hours.times(rates.avoidable_hour), ()
    people = rates.attended.get(account.machine)
    if rates.staff_hour is None or people is None:
        return None, ("avoidable_hour",)
    return hours.times(rates.staff_hour).times(exactly(people)), ()


def _product(parts: Iterable[Worth]) -> Worth:
    found = exactly(1.0)
    lacking: tuple[Lacking, ...] = ()
    for span, names in parts:
        found = found if span is None else found.times(span)
        lacking += names
    return (None, _names(lacking)) if lacking else (found, ())


def _all(parts: Iterable[Worth]) -> Worth:
    known = list(parts)
    lacking = _names(tuple(name for _, names in known for name in names))
    return (None, lacking) if lacking else (total(span for span, _ in known if span is not None), ())


def _names(lacking: tuple[Lacking, ...]) -> tuple[Lacking, ...]:
    return tuple(dict.fromkeys(lacking))

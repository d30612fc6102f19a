"""A machine that tells changes over OPC UA: sessions that break, a clock that is wrong, rows told twice.

C03 and A01 of a subscription, Q06, A05, V01 and V02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.frame import Event, Facts, Watermark
from readiness.plant import HandCount, Meaning
from tests.readiness.plant import SECOND
from tests.validity.press import STATES, made, shifts
from tests.validity.shop import DAY_S, REAL, SHIFT_S, WHOLE, Part, Subscribed, is_on, runs, share, source_of, tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.validity.shop import Ints, Site

MACHINE = "cnc-1"
KEEP_ALIVE_S = 20
NAMES = ("state", "total", "good", "reject", "temp")


def cnc(site: Site) -> Part:
    """Return the machine of one run."""
    part, rng = Part(MACHINE), site.rng
    state, _ = shifts(site)
    pieces = made(site, state, 70.0)
    away = site.draw(site.level, 1500, 300)
    lost = 0.7 * site.level
    counted = pieces[rng.random(len(pieces)) >= lost]
    changes = [_changed(state), _steps(counted), _steps(counted), _steps(counted[49::50])]
    total = np.arange(1, len(counted) + 1)
    values: list[np.ndarray[Any, Any]] = [
        state[changes[0]],
        total,
        total - total // 50,
        np.arange(1, len(counted) // 50 + 1),
    ]
    seconds = np.flatnonzero(site.on) + 0.5
    every = seconds[:: max(site.poll_s, 10)]
    changes.append(every)
    values.append(np.round(40 + rng.normal(0, 1, len(every)), 2))

    signals = [tag(MACHINE, n, REAL if n == "temp" else WHOLE, None) for n in NAMES]
    source = source_of(MACHINE, signals, 1.0, protocol="opcua", mode="subscription")
    row_signal = [np.full(len(c), k, np.int32) for k, c in enumerate(changes)]
    row_time = list(changes)
    row_value = [v.tolist() for v in values]
    up = _sessions(site, part, source.id, away)
    for k in range(len(NAMES)):  # a session begins with what all signals say
        place = np.searchsorted(changes[k], up, side="right") - 1
        row_signal.append(np.full(len(up), k, np.int32))
        row_time.append(up)
        row_value.append([values[k][i].item() if i >= 0 else 0 for i in place.tolist()])
    signal, time = np.concatenate(row_signal), np.concatenate(row_time).astype(np.float64)
    value = np.empty(len(time), object)
    value[:] = [v for row in row_value for v in row]
    gone = away[np.clip(time.astype(np.int64), 0, site.n - 1)] | ~is_on(time)
    order = np.lexsort((signal, time))
    order = order[~gone[order]]
    part.streams.append(_told(site, part, source, signal[order], time[order], value[order]))

    roles = dict(zip(NAMES, ("state", "count_total", "count_good", "count_reject", "pv"), strict=True))
    part.meanings = {f"{MACHINE}/{n}": STATES if n == "state" else Meaning(role=r) for n, r in roles.items()}
    part.truth["C03"] = part.truth["A01"] = 1 - share(away, site.planned)
    part.truth["V01"] = float(share(away, site.planned) <= 0.05)
    part.truth["V02"] = _hand_count(site, part, pieces, counted, away)
    _clock(site, part)
    return part


def _changed(state: NDArray[np.int8]) -> Ints:
    return np.concatenate([[0], np.flatnonzero(np.diff(state)) + 1])


def _steps(pieces: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(pieces + np.arange(len(pieces)) * 1e-6)


def _sessions(site: Site, part: Part, source: str, away: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Add keep-alives and gaps; return when sessions began."""
    live = site.on & ~away
    spans = runs(live)
    marks = np.concatenate([np.arange(a, b, KEEP_ALIVE_S, dtype=np.float64) for a, b in spans])
    part.items += [Watermark(source, at) for at in site.ns(marks).tolist()]
    before = None
    for begin, end in spans:
        low, high = site.ns(np.array([begin, end])).tolist()
        if before is not None:
            body: dict[str, Any] = {"gap_id": f"{source} {before}", "cause": "link_down"}
            part.items.append(Event(kind="gap", time_ns=low, source=source, from_ns=before, to_ns=low, body=body))
        part.items.append(Event(kind="link_up", time_ns=low, source=source))
        before = high
    return np.array([a + 0.2 for a, _ in spans])


def _told(
    site: Site, part: Part, source: Any, signal: np.ndarray[Any, Any], time: np.ndarray[Any, Any],
    value: np.ndarray[Any, Any],
) -> Subscribed:  # fmt: skip
    """Return rows, some of them told again half a second later or with an earlier time of the device (Q06)."""
    instants = site.ns(time) + np.arange(len(time)) % 500 * 1000
    stated = instants - 20_000_000
    temp = np.flatnonzero(signal == NAMES.index("temp"))[5:-5]
    struck = temp[site.pick(len(temp), site.level / 4)]
    twice, back = struck[::2], struck[1::2]
    stated[back] -= 3600 * SECOND
    where = np.concatenate([np.arange(len(time)), twice])
    when = np.concatenate([instants, instants[twice] + SECOND // 2])
    order = np.argsort(when, kind="stable")
    where, when = where[order], when[order]
    part.truth["Q06"] = float(len(struck) / len(where))
    return Subscribed(
        source, signal[where].astype(np.int32), when, value[where].tolist(), np.zeros(len(where), np.uint32),
        stated[where],
    )  # fmt: skip


def _hand_count(
    site: Site, part: Part, pieces: np.ndarray[Any, Any], counted: np.ndarray[Any, Any], away: np.ndarray[Any, Any]
) -> float:
    """Somebody counts the pieces of a shift at whose ends the counter is read; return whether it is right."""

    def read(day: int) -> bool:
        edges = day * DAY_S, (day + 1) * DAY_S - SHIFT_S
        return not any(away[max(0, edge - 600) : edge + 600].any() for edge in edges)

    day = next(day for day in reversed(site.production_days) if read(day))
    begin, end = day * DAY_S, day * DAY_S + SHIFT_S
    true = int(((pieces >= begin) & (pieces < end)).sum())
    told = int(((counted >= begin) & (counted < end)).sum())
    low, high = site.ns(np.array([begin, end])).tolist()
    part.hands.append(HandCount(machine=MACHINE, from_ns=low, to_ns=high, total=true))
    return float(50 * abs(told - true) <= true)


def _clock(site: Site, part: Part) -> None:
    """The device's clock is asked each hour; it is wrong by more or less (A05)."""
    wrong = []
    for second in range(0, site.n, 3600):
        if not works_now(second):
            continue
        skew = int((10 * site.level + site.rng.normal(0, 0.05)) * SECOND)
        wrong.append(abs(skew))
        at = int(site.ns(np.array([second + 1800]))[0])
        part.items.append(
            Facts(kind="clock", time_ns=at, subject=f"{MACHINE}-plc", body={"skew_ns": skew, "rtt_ns": 4_000_000})
        )
    part.truth["A05"] = float(np.median(wrong)) / SECOND


def works_now(second: int) -> bool:
    """Return whether a second lies in a shift."""
    return second % DAY_S < SHIFT_S and second // DAY_S % 7 < 5

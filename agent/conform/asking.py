"""Every verb, asked rightly and wrongly; how answers come back; and who asks too often."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from agent.conform.bench import busy
from agent.conform.findings import CONSENT, DAYS, OLDER, REQUESTS, VERBS, Broken, Finding, Open
from agent.conform.reading import numbers, quoted, read
from agent.conform.retained import baseline, of_report
from contract.codec import encode
from contract.consent import NEEDS, RECORDS, Consent, allows
from contract.day import Days, SignedDay
from contract.report import Report
from contract.signing import key_id, key_of, seal
from contract.topics import PREFIX
from contract.verbs import DAY_S, Baseline, Exit, Fit, Mde, Need, Series, SignedBaseline, Solution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.conform.bench import Bench
    from agent.conform.port import Way
    from contract.manifest import Head

OFTEN = 60
"""Requests in a row that no agent may answer all."""
LOOKED_BACK = 60
NOBODY = "no-such-machine"
TOLERANCE = 1e-6
"""Relative, of a value that we compute anew; values are rounded to six digits."""


def chain(bench: Bench) -> Iterator[Finding]:
    """Days are signed by the manifest's key, follow one another, end at its head, and each has one record."""
    found, ledger = bench.manifest, bench.ledger
    topic = bench.port.topics.manifest
    if found.chain is None:
        raise Open("no day is signed yet")
    if not set(found.consent.scopes) >= RECORDS:
        raise Open("the factory has not agreed to days and machines")
    if found.reporter != found.agent:
        raise Open(f"{found.reporter} signs for this factory: test that agent")
    ledger.keys = {found.key: key_of(found.public_key)}
    yield from heard(bench)
    dates: list[str] = []
    last = date.fromisoformat(found.chain.date)
    yield from fetch(bench, (last - timedelta(days=LOOKED_BACK)).isoformat(), found.chain.date, dates)
    yield from ledger.chain(dates)
    for each in sorted({each for each in ledger.days if each <= found.chain.date} - set(dates)):
        yield Finding(bench.port.topics.request("day.get"), "days", f"the record of {each}", "nothing", DAYS)
    yield from missing(bench, found.chain)
    known = ledger.days.get(found.chain.date)
    if known is not None and known.head != found.chain:
        expected = f"record {known.head.number}, {known.head.hash}"
        yield Finding(topic, "chain", expected, f"record {found.chain.number}, {found.chain.hash}", DAYS)


def heard(bench: Bench) -> Iterator[Finding]:
    """Check the days that were published while we listened."""
    begin = bench.port.topics.day("")
    for message in bench.port.heard:
        if message.topic.startswith(begin) and message.payload:
            try:
                signed = read(message.payload, SignedDay, message.topic)
            except Broken as exc:
                yield exc.finding
                continue
            yield from bench.ledger.take(signed, message.topic.removeprefix(begin))


def fetch(bench: Bench, first: str, last: str, dates: list[str]) -> Iterator[Finding]:
    """Ask for days, page by page, and check each; their dates go to `dates`, in the order of their coming."""
    topic, at = bench.port.topics.request("day.get"), first
    while True:
        page = bench.answered("day.get", {"from": at, "to": last}, Days)
        before = len(dates)
        for signed in page.days:
            told = bench.ledger.date(signed)
            if told is not None and not at <= told <= last:
                yield Finding(topic, "days", f"records from {at} to {last}", f"one of {quoted(told)}", VERBS)
            if signed.key not in bench.ledger.keys and not bench.ledger.days:
                continue  # of an earlier box: its key is for who has kept it
            if told is not None:
                dates.append(told)
            yield from bench.ledger.take(signed)
        if page.next is None:
            return
        if page.next <= (dates[-1] if len(dates) > before else at):
            yield Finding(topic, "next", "a date behind the last record", page.next, VERBS)
            return
        at = page.next


def missing(bench: Bench, head: Head) -> Iterator[Finding]:
    """Yield that records are not to be had."""
    topic = bench.port.topics.request("day.get")
    have = {one.day.number for one in bench.ledger.days.values()}
    if head.number not in have:
        yield Finding(topic, "days", f"record {head.number} of {head.date}, the manifest's head", "not whole", DAYS)
    gone = [n for n in range(min(have, default=head.number), head.number) if n not in have]
    if gone:
        yield Finding(topic, "days", f"record {gone[0]}, for the chain has no gap", "nothing", DAYS)


def verbs(bench: Bench) -> Iterator[Finding]:
    """Each verb that the factory has agreed to is answered, and says what the signed days say."""
    scopes = frozenset(bench.manifest.consent.scopes)
    for verb, one in (
        ("report.get", _report), ("window.get", _window), ("mde.get", _mde), ("exit.test", _exit),
        ("fit.check", _fit), ("baseline.freeze", _baseline),
    ):  # fmt: skip
        if allows(verb, scopes):
            try:
                yield from one(bench)
            except Broken as exc:  # the next verb can be asked nevertheless
                yield exc.finding


def _report(bench: Bench) -> Iterator[Finding]:
    topic = bench.port.topics.request("report.get")
    # a field that nobody knows yet changes nothing
    plant = bench.maybe("report.get", {"from_the_future": 1}, Report, "no_data")
    if plant is not None:
        yield from of_report(plant, bench, topic)
    if not bench.manifest.machines or "machines" not in bench.scopes:
        return
    name = bench.manifest.machines[0].id
    found = bench.maybe("report.get", {"machine": name}, Report, "no_data")
    if found is not None:
        yield from of_report(found, bench, topic)
        if found.machine != name:
            yield Finding(topic, "machine", name, str(found.machine), VERBS)


def _ratio(bench: Bench) -> tuple[str, str, list[tuple[str, float, float, float]]] | None:
    """Return metric, machine and (date, num, den, per) of something that the signed days count."""
    for opened in bench.ledger.days.values():
        for one in opened.day.metrics:
            if one.kind == "ratio" and not one.whole and one.machines and one.metric in bench.manifest.metrics:
                metric, machine = one.metric, opened.day.machines[one.machines[0]].id
                rows = [
                    (date, m.num[at], m.den[at], m.per)
                    for date, o in sorted(bench.ledger.days.items())
                    for m in o.day.metrics
                    if m.metric == metric and m.kind == "ratio"
                    for at, index in enumerate(m.machines)
                    if o.day.machines[index].id == machine and m.den[at] > 0
                ]
                return metric, machine, rows
    return None


def _window(bench: Bench) -> Iterator[Finding]:
    topic, known = bench.port.topics.request("window.get"), _ratio(bench)
    if known is None:
        return
    metric, machine, rows = known
    dates = sorted(bench.ledger.days)
    body: dict[str, object] = {"metric": metric, "from": dates[0], "to": dates[-1], "step_s": 7 * DAY_S}
    if "machines" in bench.scopes:
        body["machine"] = machine
    found = bench.answered("window.get", body, Series)
    yield from numbers(encode(found), topic)
    if (found.metric, found.step_s, found.machine) != (metric, 7 * DAY_S, body.get("machine")):
        yield Finding(topic, "metric", f"{metric} in steps of a week", f"{found.metric}, {found.step_s} s", VERBS)
    at = dates[0]
    for point in found.points:
        if point.first != at or not point.first <= point.last <= dates[-1]:
            yield Finding(topic, "points", f"a step from {at} on", f"{point.first} to {point.last}", VERBS)
            return
        at = (date.fromisoformat(point.last) + timedelta(days=1)).isoformat()
        own = [row for row in rows if point.first <= row[0] <= point.last]
        if "machine" not in body:
            continue
        value = own[-1][3] * sum(r[1] for r in own) / sum(r[2] for r in own) if own else None
        if (value is None) is not (point.value is None) or (
            value is not None and abs(value - (point.value or 0.0)) > TOLERANCE * max(1.0, abs(value))
        ):
            place = f"points {point.first} value"
            yield Finding(topic, place, f"{value}, as the signed days say", f"{point.value}", VERBS)
    if at <= dates[-1]:
        yield Finding(topic, "points", f"steps up to {dates[-1]}", f"none from {at} on", VERBS)


def _mde(bench: Bench) -> Iterator[Finding]:
    topic, known = bench.port.topics.request("mde.get"), _ratio(bench)
    if known is None:
        return
    dates = sorted(bench.ledger.days)
    found = bench.maybe("mde.get", {"metric": known[0], "from": dates[0], "to": dates[-1]}, Mde, "no_data")
    if found is None:
        return
    for name in ("sd", "rho"):
        one = getattr(found, name)
        if not one.lo <= one.value <= one.hi:
            yield Finding(topic, name, "a value between its limits", f"{one.lo}, {one.value}, {one.hi}", VERBS)
    if found.sd.value < 0 or not -1 <= found.rho.value <= 1:
        yield Finding(topic, "sd, rho", "sd >= 0 and -1 <= rho <= 1", f"{found.sd.value}, {found.rho.value}", VERBS)


def _exit(bench: Bench) -> Iterator[Finding]:
    topic, found = bench.port.topics.request("exit.test"), bench.answered("exit.test", {}, Exit)
    if found.ok is not all(one.ok for one in found.checks):
        yield Finding(topic, "ok", "whether all checks are", f"{found.ok}", VERBS)
    wanted = {"chain", "evidence", "answers", "consent", "key"} - {one.id for one in found.checks}
    if wanted:
        yield Finding(topic, "checks", ", ".join(sorted(wanted)), "nothing", VERBS)
    if found.key != bench.manifest.key or set(found.scopes) != set(bench.scopes):
        yield Finding(topic, "key, scopes", "as in the manifest", f"{found.key}, {found.scopes}", VERBS)


def _fit(bench: Bench) -> Iterator[Finding]:
    if bench.register is None:
        return
    topic = bench.port.topics.request("fit.check")
    metric = (bench.manifest.metrics or ["A01"])[0]
    text = encode(
        Solution("conform", "1", [Need("any", metric, min=-1e300), Need("none", metric, min=1e300)])
    ).decode()
    body = {
        "registered": text,
        "key": key_id(bench.register.public_key()),
        "signature": seal(f"{PREFIX}/fit", text, bench.register),
    }
    found = bench.answered("fit.check", body, Fit)
    if (found.solution, found.version) != ("conform", "1"):
        yield Finding(topic, "solution", "conform 1", f"{found.solution} {found.version}", VERBS)
    if found.verdict == "pass":
        yield Finding(topic, "verdict", f"fail or unknown of {metric} >= 1e300", "pass", VERBS)
    if found.missing:
        yield Finding(topic, "missing", "nothing for a supplier", f"{len(found.missing)} needs", CONSENT)
    changed = {**body, "registered": text.replace("1e300", "1e200").replace("1e+300", "1e+200")}
    yield from bench.refused("fit.check", changed, "bad_request")


def _baseline(bench: Bench) -> Iterator[Finding]:
    known = _ratio(bench)
    if not bench.freeze or known is None or "machines" not in bench.scopes:
        return
    topic, day = bench.port.topics.request("baseline.freeze"), bench.manifest.chain
    if day is None or day.date not in bench.ledger.days:
        return
    body = {
        "project": f"conform-{day.date}", "from": day.date, "to": day.date, "metrics": [known[0]],
        "treated": [known[1]],
    }  # fmt: skip
    found = bench.answered("baseline.freeze", body, SignedBaseline)
    yield from baseline(found, bench, topic)
    inside = read(found.baseline.encode(), Baseline, topic)
    if [(one.date, one.hash) for one in inside.days] != [(day.date, day.hash)]:
        yield Finding(topic, "baseline.days", f"{day.date} by its hash", f"{len(inside.days)} others", VERBS)
    again = bench.answered("baseline.freeze", body, SignedBaseline)
    if again != found:
        yield Finding(topic, "baseline", "what was frozen the first time", "another one", VERBS)


def refusals(bench: Bench) -> Iterator[Finding]:
    """What cannot be answered is refused with its code."""
    yield from bench.refused("plc.write", {}, "unknown_verb")
    scopes = frozenset(bench.manifest.consent.scopes)
    for verb in NEEDS:
        if not allows(verb, scopes):
            yield from bench.refused(verb, {}, "no_consent")
    wrong: list[tuple[str, object, tuple[str, ...]]] = []
    span = {"from": "2026-01-01", "to": "2026-01-02"}
    freeze = {"project": "conform", **span, "metrics": ["A01"], "treated": ["m"]}
    unsigned = {"registered": "{}", "key": "0" * 16, "signature": "A" * 86 + "=="}
    fine = {"metric": "A01", **span, "step_s": 3600}
    unnamed = ("no_data",) if "machines" in scopes else ("no_data", "no_consent")
    wrong += [
        ("report.get", b"nonsense", ("bad_request",)),
        ("report.get", {"machine": 7}, ("bad_request",)),
        ("report.get", {"machine": NOBODY}, unnamed),
        ("window.get", fine, ("too_fine",)),
        ("window.get", {**fine, "step_s": 100_000}, ("bad_request",)),
        ("window.get", {**fine, "step_s": DAY_S, "to": "2025-01-01"}, ("bad_request",)),
        ("window.get", {**fine, "step_s": DAY_S, "from": "2025-02-30"}, ("bad_request",)),
        ("window.get", {**fine, "step_s": DAY_S, "metric": "no-such-metric"}, ("no_data",)),
        ("window.get", {"metric": "A01"}, ("bad_request",)),
        ("day.get", {"from": "2001-01-01", "to": "2001-01-31"}, ("no_data",)),
        ("day.get", {"from": "2026-01-02", "to": "2026-01-01"}, ("bad_request",)),
        ("day.get", {"from": "yesterday", "to": "2026-01-01"}, ("bad_request",)),
        ("mde.get", {"metric": "no-such-metric", **span}, ("no_data",)),
        ("mde.get", b"[]", ("bad_request",)),
        ("baseline.freeze", {**freeze, "project": "a project"}, ("bad_request",)),
        ("baseline.freeze", {**freeze, "treated": []}, ("bad_request",)),
        ("fit.check", unsigned, ("bad_request", "no_data")),
    ]  # fmt: skip
    for verb, body, codes in wrong:
        if allows(verb, scopes):
            yield from bench.refused(verb, body, *codes)


def answers(bench: Bench) -> Iterator[Finding]:
    """An answer repeats the correlation data as they were; a request in the body is answered in the body."""
    topic = bench.port.topics.request("consent.get")
    ways: list[tuple[Way, bytes, str]] = [("body", b"conform-body", OLDER)]
    if bench.port.way == "properties":
        ways.append(("properties", bytes(range(32)), REQUESTS))
    for way, token, rule in ways:
        message = bench.port.ask("consent.get", b"{}", bench.patience.answer, way=way, correlation=token)
        if message is None:
            yield Finding(topic, "correlation data", f"an answer with {token!r} ({way})", "none", rule)
        elif not busy(message.payload):
            read(message.payload, Consent, topic)
    for message in bench.port.stray:
        expected = "an answer only where it was asked for, not retained, with its correlation data"
        yield Finding(message.topic, "", expected, quoted(message.payload), REQUESTS)


def silence(bench: Bench) -> Iterator[Finding]:
    """No answer goes anywhere but below the agent's own `rsp`, and none where nobody has named a place."""
    port, before = bench.port, len(bench.port.heard)
    places = (port.topics.manifest, f"{port.topics.root}/rsp/a/b")
    for elsewhere in places:
        port.ask("consent.get", b"{}", 0, response=elsewhere)
    port.pause(bench.patience.silence)
    for message in [*port.unclaimed(), *port.heard[before:]]:
        if message.topic in places and b'"history"' in message.payload:
            yield Finding(message.topic, "", "no answer", quoted(message.payload), REQUESTS)


def limits(bench: Bench) -> Iterator[Finding]:
    """Whoever asks again and again is told that it is too often."""
    topic = bench.port.topics.request("consent.get")
    for _ in range(OFTEN):
        message = bench.port.ask("consent.get", b"{}", bench.patience.answer)
        if message is None:
            yield Finding(topic, "", "an answer, or busy", "none", REQUESTS)
            return
        if busy(message.payload):
            return
    yield Finding(topic, "", f"busy after fewer than {OFTEN} requests in a row", "answers to all of them", REQUESTS)

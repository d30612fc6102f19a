"""Each single way in which an agent can leave the wire, and the finding that tells it; against a real broker."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent.conform.acting.messages import Out, Reply
from agent.conform.acting.tricks import OTHER, TRICKS, Trick, changed, fields
from agent.conform.bench import busy
from agent.conform.checks import CHECKS, run
from agent.conform.findings import PAGE, RULES, Finding, Result
from agent.conform.watch import Watch
from agent.requests import Asked, refuse
from contract.codec import encode
from contract.signing import key_id, key_text, seal
from contract.topics import AgentTopics
from settings.language import Text
from tests.agent.conform.rig import QUICK, bench, heard, played, template
from tests.agent.test_uplink import eventually
from tests.support.brokers import mosquitto, rabbitmq
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from agent.conform.acting.actor import Actor
    from agent.conform.bench import Bench
    from transport.session import Message

NOTHING = Text("", "")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("signed"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with running(mosquitto(tmp_path_factory.mktemp("broker"))) as child:
        yield child


def spoil(how: Callable[[Actor, Out], Iterable[Out]]) -> Trick:
    return Trick(NOTHING, spoil=how)


def on(verb: str, how: Callable[[dict[str, Any]], object]) -> Trick:
    """Change the granted answers of a verb."""

    def reply(actor: Actor, made: Reply) -> Iterable[Reply]:
        del actor
        document = json.loads(made.content)
        if made.asked.verb == verb and "error" not in document:
            how(document)
            made = replace(made, content=json.dumps(document).encode())
        yield made

    return Trick(NOTHING, reply=reply)


def instead(verb: str, content: Callable[[bytes], bytes]) -> Trick:
    """Answer a verb with something else."""

    def reply(actor: Actor, made: Reply) -> Iterable[Reply]:
        del actor
        yield replace(made, content=content(made.content)) if made.asked.verb == verb else made

    return Trick(NOTHING, reply=reply)


def unretained(actor: Actor, out: Out) -> Iterable[Out]:
    yield replace(out, retain=out.retain and out.topic != actor.topics.manifest)


def only(level: str, **change: Any) -> Callable[[Actor, Out], Iterable[Out]]:
    def how(actor: Actor, out: Out) -> Iterable[Out]:
        yield replace(out, **change) if out.topic.startswith(f"{actor.topics.root}/{level}") else out

    return how


def chatty(actor: Actor, out: Out) -> Iterable[Out]:
    yield out
    yield Out(f"{actor.topics.root}/diary", b"{}")


def record_of(how: Callable[[str], str]) -> Callable[[dict[str, Any]], object]:
    def do(document: dict[str, Any]) -> None:
        document["days"][2]["record"] = how(document["days"][2]["record"])

    return do


def with_days(how: Callable[[list[Any]], Any]) -> Trick:
    return on("day.get", lambda d: d.update(days=how(d["days"])))


def resigned(actor: Actor, made: Reply) -> Iterable[Reply]:
    """A record of `day.get` continues another chain, signed with the right key."""
    document = json.loads(made.content)
    if made.asked.verb == "day.get" and len(document.get("days", ())) > 3:
        one = document["days"][3]
        record = json.loads(one["record"]) | {"prev": "0" * 64}
        text = encode(record).decode()
        one |= {"record": text, "signature": seal(actor.topics.day(record["date"]), text, actor.book.private)}
        made = replace(made, content=json.dumps(document).encode())
    yield made


def other_manifest_key(document: dict[str, Any]) -> None:
    document.update(key=key_id(OTHER.public_key()), public_key=key_text(OTHER.public_key()))


def elsewhere(actor: Actor, made: Reply) -> Iterable[Reply]:
    yield replace(made, asked=replace(made.asked, topic=actor.topics.response("somebody")))


def other_correlation(actor: Actor, made: Reply) -> Iterable[Reply]:
    del actor
    same = made.asked.correlation
    yield replace(made, asked=replace(made.asked, correlation=same[:-1] if same else same))


def lost(wanted: Callable[[Reply], bool]) -> Trick:
    def reply(actor: Actor, made: Reply) -> Iterable[Reply]:
        del actor
        if not wanted(made):
            yield made

    return Trick(NOTHING, reply=reply)


def kept(actor: Actor, made: Reply) -> Iterable[Reply]:
    del actor
    yield replace(made, retain=True)


def no_limit(actor: Actor, made: Reply) -> Iterable[Reply]:
    if busy(made.content):
        made = replace(made, content=actor._agreed.answer())
    yield made


def granted(verb: str) -> Trick:
    """What must be refused is answered with something."""
    return instead(verb, lambda raw: b'{"points":[]}' if b'"error"' in raw else raw)


def code(verb: str, name: Any) -> Trick:
    return instead(verb, lambda raw: refuse(name, "") if b'"error"' in raw else raw)


def fit_all(document: dict[str, Any]) -> None:
    document["verdict"] = "pass"


def first_value(**changed_to: Any) -> Callable[[dict[str, Any]], object]:
    def do(document: dict[str, Any]) -> None:
        document["values"][0].update(changed_to)

    return do


def gates(document: dict[str, Any]) -> None:
    document["machines"][0]["gates"] = "P"


def swapped(verb: str, *path: str, lo: float, hi: float) -> Trick:
    def how(document: dict[str, Any]) -> None:
        inside = document
        for name in path:
            inside = inside[name]
        inside.update(lo=lo, hi=hi)

    return on(verb, how)


def point(document: dict[str, Any]) -> None:
    document["points"][0]["value"] += 0.01


def unsigned_baseline(document: dict[str, Any]) -> None:
    document["baseline"] = document["baseline"].replace("conform", "another")


def consentless(actor: Actor, out: Out) -> Iterable[Out]:
    """The manifest says that only levels are agreed, and the report says more."""
    yield from fields(lambda d: d["consent"].update(scopes=["levels"]))(actor, out)


HUGE = b'{"now":{"since":"0","scopes":[]},"history":[],"x":"' + b"x" * 300_000 + b'"}'
DEVIATIONS: list[tuple[str, Trick, str, str]] = [
    ("manifest_not_retained", spoil(unretained), "manifest", ""),
    ("manifest_no_json", spoil(only("manifest", payload=b"\xff")), "manifest", ""),
    ("manifest_field_missing", spoil(fields(lambda d: d.pop("consent"))), "manifest", "consent"),
    ("manifest_field_of_another_type", spoil(fields(lambda d: d.update(machines=7))), "manifest", "machines"),
    ("manifest_of_another_agent", spoil(fields(lambda d: d.update(agent="edge-9"))), "manifest", "agent"),
    ("manifest_site_no_id", spoil(fields(lambda d: d.update(site="Main Hall"))), "manifest", "site"),
    ("manifest_key_misnamed", spoil(fields(lambda d: d.update(key="0" * 16))), "manifest", "key"),
    ("manifest_no_key", spoil(fields(lambda d: d.update(public_key="A" * 42 + "B="))), "manifest", "key"),
    ("manifest_verbs_missing", spoil(fields(lambda d: d.update(verbs=["report.get"]))), "manifest", "verbs"),
    ("manifest_machine_twice", spoil(fields(lambda d: d["machines"].append(d["machines"][0]))), "manifest",
     "machines"),
    ("manifest_weight", spoil(fields(lambda d: d["machines"][0].update(weight=0))), "manifest", "weight"),
    ("manifest_number_too_big", spoil(fields(lambda d: d.update(later=2**60))), "manifest", "later"),
    ("manifest_too_large", spoil(fields(lambda d: d.update(later="x" * 270_000))), "manifest", ""),
    ("manifest_proof_of_another_head", spoil(fields(lambda d: d["chain"].update(number=1))), "manifest", "proof"),
    ("manifest_machines_unasked", spoil(fields(lambda d: d["consent"].update(scopes=["days"]))), "manifest",
     "machines"),
    ("manifest_key_of_another", spoil(fields(other_manifest_key)), "chain", "key"),
    ("head_of_another_chain", spoil(fields(lambda d: d["chain"].update(hash="0" * 64))), "chain", "chain"),
    ("head_without_record", spoil(fields(lambda d: d["chain"].update(number=99))), "chain", "days"),
    ("report_too_large", TRICKS["large_report"], "report", ""),
    ("report_field_missing", spoil(fields(report=lambda d: d.pop("window"))), "report", "window"),
    ("report_not_finite", spoil(only("readiness", payload=b'{"confidence": NaN}')), "report", ""),
    ("report_number_too_big", spoil(fields(report=first_value(shown={"n": 2**60}))), "report", "values[0].shown.n"),
    ("report_without_expiry", spoil(only("readiness", expiry=None)), "report", "message expiry"),
    ("report_for_ever", spoil(only("readiness", expiry=10**7)), "report", "message expiry"),
    ("report_value_and_reason", spoil(fields(report=first_value(reason="NA_CLOCK"))), "report", "values A01"),
    ("report_limits_crossed", spoil(fields(report=first_value(lo=1.0, hi=0.0))), "report", "values A01 lo"),
    ("report_unknown_metric", spoil(fields(report=first_value(metric="Z99"))), "report", "values Z99"),
    ("report_of_a_machine", spoil(fields(report=lambda d: d.update(machine="lathe"))), "report", "machine"),
    ("report_gates", spoil(fields(report=gates)), "report", "gates"),
    ("report_window_backwards", spoil(fields(report=lambda d: d["window"].update(first="2027-01-01"))), "report",
     "window.first"),
    ("report_confidence", spoil(fields(report=lambda d: d.update(confidence=0))), "report", "confidence"),
    ("report_of_another_factory", spoil(fields(report=lambda d: d.update(factory="other"))), "report", "factory"),
    ("report_beyond_consent", spoil(consentless), "report", "values"),
    ("day_retained", spoil(only("day", retain=True)), "topics", "retain"),
    ("topic_of_nobody", spoil(chatty), "topics", ""),
    ("qos_0", spoil(only("readiness", qos=0)), "topics", "QoS"),
    ("consent_differs", on("consent.get", lambda d: d["now"].update(scopes=["levels"])), "consent", "now.scopes"),
    ("consent_without_history", on("consent.get", lambda d: d.update(history=[])), "consent", "history"),
    ("consent_serial", on("consent.get", lambda d: d["now"].update(serial=77)), "consent", "now.serial"),
    ("consent_too_large", instead("consent.get", lambda _: HUGE), "consent", ""),
    ("day_changed", TRICKS["bad_signature"], "chain", "signature"),
    ("day_of_another_chain", TRICKS["broken_chain"], "chain", "record"),
    ("day_by_another_key", TRICKS["foreign_key"], "chain", "key"),
    ("day_of_another_factory", TRICKS["other_factory"], "chain", "record.factory"),
    ("day_field_missing", spoil(changed(lambda d: d.pop("evidence"))), "chain", "evidence"),
    ("day_ends_before_it_begins", spoil(changed(lambda d: d.update(end="0"))), "chain", "record.end"),
    ("day_columns", spoil(changed(lambda d: d["metrics"][-1].update(machines=[9]))), "chain", "record.metrics X01"),
    ("day_of_another_date", spoil(changed(lambda d: d.update(date="2026-12-24"))), "chain", "record.date"),
    ("day_names_another_key", instead("day.get", lambda r: r.replace(b'"key":"', b'"key":"0', 1)), "chain", "key"),
    ("days_changed", on("day.get", record_of(lambda t: t.replace("X01", "X02"))), "chain", "signature"),
    ("days_no_json", on("day.get", record_of(lambda t: t[:-1])), "chain", ""),
    ("days_without_the_last", with_days(lambda days: days[:-1]), "chain", "days"),
    ("days_with_a_gap", with_days(lambda days: [*days[:3], *days[4:]]), "chain", "days"),
    ("days_in_another_order", with_days(lambda days: days[::-1]), "chain", "record.number"),
    ("days_broken_chain", Trick(NOTHING, reply=resigned), "chain", "record.prev"),
    ("days_do_not_go_on", on("day.get", lambda d: d.update(next="2020-01-01")), "chain", "next"),
    ("days_more_than_asked", with_days(lambda days: [{**days[0], "record": days[0]["record"].replace(
        '"date":"2026', '"date":"2016')}, *days[1:]]), "chain", "days"),
    ("days_refused", code("day.get", "no_consent"), "refusals", "error"),
    ("report_get_of_another_machine", on("report.get", lambda d: d.pop("machine", None)), "verbs", "machine"),
    ("report_get_refused", instead("report.get", lambda _: refuse("no_consent", "")), "verbs", "error"),
    ("window_value", on("window.get", point), "verbs", "value"),
    ("window_steps", on("window.get", lambda d: d.update(points=d["points"][:-1])), "verbs", "points"),
    ("window_hole", on("window.get", lambda d: d.update(points=d["points"][1:])), "verbs", "points"),
    ("window_other_metric", on("window.get", lambda d: d.update(metric="E01")), "verbs", "metric"),
    ("mde_limits", swapped("mde.get", "rho", lo=0.9, hi=-0.9), "verbs", "rho"),
    ("exit_ok", on("exit.test", lambda d: d.update(ok=not d["ok"])), "verbs", "ok"),
    ("exit_checks", on("exit.test", lambda d: d.update(checks=d["checks"][:2])), "verbs", "checks"),
    ("exit_key", on("exit.test", lambda d: d.update(key="0" * 16)), "verbs", "key, scopes"),
    ("fit_of_everything", on("fit.check", fit_all), "verbs", "verdict"),
    ("fit_tells_suppliers", on("fit.check", lambda d: d.update(
        missing=[{"need": "none", "machine": "lathe", "verdict": "fail"}])), "verbs", "missing"),
    ("fit_of_another", on("fit.check", lambda d: d.update(solution="another")), "verbs", "solution"),
    ("fit_unregistered", instead("fit.check", lambda _: b'{"solution":"conform","version":"1","verdict":"fail"}'),
     "verbs", "error"),
    ("baseline_changed", on("baseline.freeze", unsigned_baseline), "verbs", "signature"),
    ("verb_of_nobody", instead("plc.write", lambda _: b"{}"), "refusals", "error"),
    ("refusal_of_another_code", code("plc.write", "bad_request"), "refusals", "error"),
    ("finer_than_a_day", granted("window.get"), "refusals", "error"),
    ("any_machine", granted("report.get"), "refusals", "error"),
    ("any_date", granted("day.get"), "refusals", "error"),
    ("any_metric", granted("mde.get"), "refusals", "error"),
    ("any_baseline", granted("baseline.freeze"), "refusals", "error"),
    ("answer_missing", lost(lambda made: made.asked.verb == "mde.get"), "refusals", ""),
    ("answer_not_in_the_body", lost(lambda made: isinstance(made.asked.correlation, str)), "answers",
     "correlation data"),
    ("answer_to_another", Trick(NOTHING, reply=other_correlation), "answers", "correlation data"),
    ("answer_elsewhere", Trick(NOTHING, reply=elsewhere), "answers", ""),
    ("answer_retained", Trick(NOTHING, reply=kept), "answers", ""),
    ("event_changed", spoil(only("event", payload=b'{"baseline":"{}","key":"0123456789abcdef","signature":"' + b"A"
     * 86 + b'=="}')), "events", "key"),
    ("no_limits", Trick(NOTHING, reply=no_limit), "limits", ""),
]  # fmt: skip


def examined(broker: Child, signed: Path, folder: Path, trick: Trick, check: str) -> list[Finding]:
    wanted = {"chain", "verbs", check} if check == "events" else {"chain", check}
    with played(broker, signed, folder, trick) as actor, bench(broker, actor.topics) as made:
        actor.next_day()
        heard(actor, made)
        return [finding for result in run(made, wanted) if result.check == check for finding in result.findings]


@pytest.mark.parametrize(("trick", "check", "field"), [d[1:] for d in DEVIATIONS], ids=[d[0] for d in DEVIATIONS])
def test_each_single_deviation_is_told_by_its_field_and_rule(
    broker: Child, signed: Path, tmp_path: Path, trick: Trick, check: str, field: str
) -> None:
    found = examined(broker, signed, tmp_path, trick, check)
    assert found, "nothing was found"
    assert [one for one in found if one.field == field or (field and field in one.field)], found
    assert all(one.rule in RULES and one.expected and one.found for one in found), found


def test_every_check_that_can_fail_has_a_deviation() -> None:
    told = {"more", "mqtt", "silence"}  # the first two tell what is open; who answers anywhere is below
    assert {check for _, _, check, _ in DEVIATIONS} == CHECKS.keys() - told


@pytest.mark.parametrize("older", [False, True], ids=["agent-5", "agent-3.1.1"])
@pytest.mark.parametrize("kit", [False, True], ids=["kit-5", "kit-3.1.1"])
def test_an_agent_that_behaves_passes_whatever_version_either_speaks(
    broker: Child, signed: Path, tmp_path: Path, *, older: bool, kit: bool
) -> None:
    with played(broker, signed, tmp_path, older=older) as actor, bench(broker, actor.topics, older=kit) as made:
        actor.next_day()
        heard(actor, made)
        results = list(run(made))
        assert not [finding for result in results for finding in result.findings]
        opened = {result.check for result in results if result.ok is None}
        assert opened == ({"mqtt"} if older and not kit else set())
        assert [result.check for result in results] == list(CHECKS)


@pytest.mark.parametrize("place", ["manifest", "rsp/a/b"])
def test_an_agent_that_answers_anywhere_is_told(
    broker: Child, signed: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anywhere(message: Message, verb: str, root: str) -> Asked | None:
        del root
        topic = message.response_topic or ""
        return Asked(verb, message.payload, topic, message.correlation) if topic.endswith(place) else None

    with played(broker, signed, tmp_path) as actor, bench(broker, actor.topics) as made:
        heard(actor, made)
        assert made.manifest.agent == actor.topics.agent
        monkeypatch.setattr("agent.conform.acting.actor.asked_by", anywhere)
        (result,) = run(made, {"silence"})
        assert {(one.topic, one.rule) for one in result.findings} == {
            (f"{actor.topics.root}/{place}", "#requests-and-answers")
        }


def test_a_broker_that_speaks_only_311_and_keeps_nothing_for_wildcards_will_do(
    signed: Path, tmp_path: Path
) -> None:
    with (
        running(rabbitmq(tmp_path / "broker")) as older,
        played(older, signed, tmp_path) as actor,
        bench(older, actor.topics, patience=replace(QUICK, answer=10)) as made,
    ):
        eventually(lambda: len({message.topic for message in made.port.heard}) == 2)
        actor.next_day()
        heard(actor, made)
        assert [(result.check, result.findings) for result in run(made)] == [(name, ()) for name in CHECKS]
        assert made.port.version == "3.1.1"


def test_what_a_later_version_says_is_no_deviation_and_is_shown(
    broker: Child, signed: Path, tmp_path: Path
) -> None:
    trick = TRICKS["unknown_fields"]
    with played(broker, signed, tmp_path, trick) as actor, bench(broker, actor.topics) as made:
        heard(actor, made)
        results = {result.check: result for result in run(made)}
        assert not [finding for result in results.values() for finding in result.findings]
        assert results["more"].ok is None
        assert "manifest from_the_future" in results["more"].text


def test_nobody_there_is_one_finding_and_nothing_is_asked(broker: Child) -> None:
    with bench(broker, AgentTopics("hanil", "nobody")) as made:
        first, *others = run(made)
        assert [str(one) for one in first.findings] == [
            f"tsq/1/hanil/nobody/manifest: expected a retained message, found nothing ({PAGE}#manifest-and-report)"
        ]
        assert {one.ok for one in others} == {None}


def turned(actor: Actor, watch: Watch, made: Bench) -> list[Result]:
    heard(actor, made)
    return list(watch.turn(0))


def test_a_platform_that_stays_fetches_what_it_has_missed(broker: Child, signed: Path, tmp_path: Path) -> None:
    with played(broker, signed, tmp_path) as actor, bench(broker, actor.topics) as made:
        heard(actor, made)
        assert all(result.ok for result in run(made, {"manifest", "chain"}))
        watch = Watch(made)
        assert watch.begin().ok
        made.port.news(0)
        missed = [actor.sign(), actor.sign()]
        last = actor.next_day()
        found = turned(actor, watch, made)
        assert not found
        assert watch.repaired == [*missed, last]
        assert watch.head == actor.book.head
        assert actor.wait(10)
        actor.trick = TRICKS["bad_signature"]
        spoilt = actor.next_day()
        found = turned(actor, watch, made)
        assert [finding.field for result in found for finding in result.findings] == ["signature"]
        assert watch.repaired[-1] == spoilt
        assert actor.wait(10)
        actor.trick = TRICKS["older_head"]
        actor.publish_retained()
        found = turned(actor, watch, made)
        assert [(f.field, f.found) for result in found for f in result.findings] == [("chain", "an older head")]
        actor.trick = TRICKS["other_key"]
        actor.publish_retained()
        found = turned(actor, watch, made)
        assert [finding.field for result in found for finding in result.findings] == ["key"]


def test_a_played_agent_leaves_nothing_behind(broker: Child, signed: Path, tmp_path: Path) -> None:
    for number, trick in enumerate(
        (Trick(NOTHING, reply=kept), TRICKS["retained_day"], spoil(only("day", retain=True)))
    ):
        (tmp_path / str(number)).mkdir()
        with played(broker, signed, tmp_path / str(number), trick) as actor, bench(broker, actor.topics) as made:
            actor.next_day()
            heard(actor, made)
            assert made.port.ask("consent.get", b"{}", 0.2) is None or trick.reply is not kept
    with bench(broker, actor.topics) as made:
        made.port.settled(0.1)
        assert not [message.topic for message in made.port.heard if message.payload]

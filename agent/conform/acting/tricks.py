"""What a played agent does wrong, or rightly and surprisingly, and what a platform must make of it.

Whatever it is, a platform must hold out: it goes on, and in the end it has every day whole. That is what is watched
(`agent.conform.acting.judge`); `unseen` says what else it must do that nobody can see at the broker.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent.conform.acting.messages import Out, Reply
from agent.requests import refuse
from contract.codec import REPORT_LIMIT, decode, encode
from contract.consent import SCOPES
from contract.day import Day, Days, SignedDay
from contract.errors import WireError
from contract.manifest import Manifest
from contract.signing import key_id, key_text, private_key, seal, seal_head
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.conform.acting.actor import Actor

OTHER = private_key(bytes(32))
"""Of a box that nobody knows."""
BUSY_S = 1
LARGE = REPORT_LIMIT + 1024


def as_is(actor: Actor, out: Out) -> Iterable[Out]:
    """Publish what an agent publishes."""
    del actor
    yield out


def answered(actor: Actor, reply: Reply) -> Iterable[Reply]:
    """Answer as an agent answers."""
    del actor
    yield reply


def play(actor: Actor) -> None:
    """Close a day and publish it, the manifest and the report."""
    actor.next_day()


def unpublished(actor: Actor) -> None:
    """Close a day that nobody is told of but by the manifest, so that it must be asked for."""
    actor.next_day(publish=False)


@dataclass(frozen=True, slots=True)
class Trick:
    """One of them.

    Attributes:
        text: What the agent does.
        unseen: What a platform must do that cannot be seen at the broker, if anything.
        spoil: What becomes of a message.
        reply: What becomes of an answer.
        play: What happens while it is played.
        after: What happens when the agent behaves again.
        blocks: While it is played, a platform cannot have every day.
        quiet: No further day is missed afterwards.
    """

    text: Text
    unseen: Text | None = None
    spoil: Callable[[Actor, Out], Iterable[Out]] = as_is
    reply: Callable[[Actor, Reply], Iterable[Reply]] = answered
    play: Callable[[Actor], None] = play
    after: Callable[[Actor], None] = lambda actor: actor.publish_retained()
    blocks: bool = False
    quiet: bool = False


def _days(how: Callable[[Actor, SignedDay], SignedDay | None]) -> Callable[[Actor, Out], Iterable[Out]]:
    """Spoil daily records as they are published."""

    def spoil(actor: Actor, out: Out) -> Iterable[Out]:
        if not out.topic.startswith(actor.topics.day("")):
            yield out
        elif (signed := how(actor, decode(out.payload, SignedDay))) is not None:
            yield replace(out, payload=encode(signed))

    return spoil


def changed(
    record: Callable[[dict[str, Any]], object], *, key: bool = False
) -> Callable[[Actor, Out], Iterable[Out]]:
    """Change records before they are signed; `key`: by a key that nobody knows."""

    def how(actor: Actor, signed: SignedDay) -> SignedDay:
        document = json.loads(signed.record)
        topic = actor.topics.day(document["date"])
        record(document)
        by = OTHER if key else actor.book.private
        name = key_id(by.public_key())
        text = encode(document | {"key": name}).decode()
        return SignedDay(text, name, seal(topic, text, by))

    return _days(how)


def _altered(actor: Actor, signed: SignedDay) -> SignedDay:
    del actor
    day = decode(signed.record.encode(), Day)
    return SignedDay(signed.record.replace(day.evidence, day.evidence[::-1]), signed.key, signed.signature)


def fields(
    manifest: Callable[[dict[str, Any]], object] | None = None,
    report: Callable[[dict[str, Any]], object] | None = None,
) -> Callable[[Actor, Out], Iterable[Out]]:
    """Change the manifest and the report as they are published."""

    def spoil(actor: Actor, out: Out) -> Iterable[Out]:
        how = {actor.topics.manifest: manifest, actor.topics.readiness: report}.get(out.topic)
        if how is not None and out.payload:
            document = json.loads(out.payload)
            how(document)
            out = replace(out, payload=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
        yield out

    return spoil


def _both(*spoils: Callable[[Actor, Out], Iterable[Out]]) -> Callable[[Actor, Out], Iterable[Out]]:
    def spoil(actor: Actor, out: Out) -> Iterable[Out]:
        outs = [out]
        for one in spoils:
            outs = [made for each in outs for made in one(actor, each)]
        yield from outs

    return spoil


def _future(actor: Actor, out: Out) -> Iterable[Out]:
    document = json.loads(out.payload) if out.payload else None
    if isinstance(document, dict):
        out = replace(out, payload=encode(document | {"from_the_future": {"more": [1, None]}}))
    yield out
    if out.topic == actor.topics.manifest:
        yield Out(actor.topics.event("from_the_future"), b'{"anything":1}')


def _garbage(actor: Actor, out: Out) -> Iterable[Out]:
    bad = (
        b"\xff\xfe not JSON" if out.topic == actor.topics.manifest else b'{"record": NaN, "values": [' + b"[" * 2000
    )
    yield replace(out, payload=bad)


def _twice(actor: Actor, out: Out) -> Iterable[Out]:
    del actor
    yield from (out, out)


def _retained(actor: Actor, out: Out) -> Iterable[Out]:
    yield replace(out, retain=True)
    if out.topic.startswith(actor.topics.day("")):
        yield replace(out, retain=True, payload=b"")


def _old(actor: Actor) -> None:
    actor.publish_retained()


def _older_head(actor: Actor, out: Out) -> Iterable[Out]:
    if out.topic == actor.topics.manifest:
        found = decode(out.payload, Manifest)
        head = actor.head_before(5)
        chain = {"number": head.number, "date": head.date, "hash": head.hash}
        proof = seal_head(head, actor.topics, actor.book.private)  # what the agent has said then
        out = replace(out, payload=encode(json.loads(encode(found)) | {"chain": chain, "proof": proof}))
    yield out


def _other_key(document: dict[str, Any]) -> None:
    document.pop("proof", None)
    document.update(key=key_id(OTHER.public_key()), public_key=key_text(OTHER.public_key()))


def _backwards(actor: Actor) -> None:
    dates = [actor.sign() for _ in range(3)]
    for when in reversed(dates):
        actor.publish_day(when)
    actor.publish_retained()


def _gap(actor: Actor) -> None:
    for _ in range(3):
        actor.sign()
    actor.next_day()


def _taken_back(actor: Actor) -> None:
    actor.agree(["levels"])
    actor.next_day()


def _given_again(actor: Actor) -> None:
    actor.agree(SCOPES)
    actor.publish_retained()


def _late(actor: Actor, reply: Reply) -> Iterable[Reply]:
    yield replace(reply, late=actor.late)


def _nothing(actor: Actor, reply: Reply) -> Iterable[Reply]:
    del actor, reply
    return iter(())


def _doubled(actor: Actor, reply: Reply) -> Iterable[Reply]:
    del actor
    yield from (reply, reply)


def _of_another(actor: Actor, reply: Reply) -> Iterable[Reply]:
    """Answer somebody else's question on this one's topic."""
    del actor
    token = b"somebody-else" if isinstance(reply.asked.correlation, bytes | None) else "somebody-else"
    yield Reply(replace(reply.asked, correlation=token), reply.content)


def _busy(actor: Actor, reply: Reply) -> Iterable[Reply]:
    del actor
    yield replace(reply, content=refuse("busy", f"asked too often: ask again in {BUSY_S} s or later"))


def _spoilt(actor: Actor, reply: Reply) -> Iterable[Reply]:
    del actor
    try:
        days = decode(reply.content, Days).days
    except WireError:
        yield reply
        return
    yield replace(reply, content=encode({"days": [{"record": days[0].record[:-9], "key": "?", "signature": ""}]}))


def _pages(actor: Actor, reply: Reply) -> Iterable[Reply]:
    """Answer with at most two records; the others come with the next page."""
    del actor
    try:
        found = decode(reply.content, Days)
    except WireError:
        yield reply
        return
    if len(found.days) > 2:
        behind = decode(found.days[2].record.encode(), Day).date
        found = Days(found.days[:2], behind)
    yield replace(reply, content=encode(found))


def _big(document: dict[str, Any]) -> None:
    document["values"][0]["shown"] = {"samples": "18446744073709551615"}


NOT_COUNTED = Text(
    "it does not count the wrong record, and tells a person", "틀린 기록을 집계하지 않고 담당자에게 알린다"
)
OLD_STAYS = Text(
    "it goes on with the last good one, and tells a person", "마지막 정상 값을 유지하고 담당자에게 알린다"
)
ONCE = Text("it counts each once", "한 번만 집계한다")
TRICKS: Mapping[str, Trick] = {
    "first_contact": Trick(
        Text("signed days are there before the platform has asked", "플랫폼이 묻기 전에 서명된 기록이 있음"),
        play=_old, quiet=True,
    ),
    "gap": Trick(Text("three days do not come by topic", "3일치 기록이 토픽으로 오지 않음"), play=_gap),
    "bad_signature": Trick(
        Text("a record was changed behind its signature", "서명한 뒤 기록이 바뀜"), NOT_COUNTED, _days(_altered)
    ),
    "broken_chain": Trick(
        Text("a signed record continues another chain", "서명은 맞지만 앞 기록과 이어지지 않음"),
        NOT_COUNTED, changed(lambda d: d.update(prev="0" * 64)),
    ),
    "foreign_key": Trick(
        Text("a record is signed by a key of nobody's manifest", "매니페스트에 없는 키로 서명함"),
        NOT_COUNTED, changed(lambda _: None, key=True),
    ),
    "other_factory": Trick(
        Text("a signed record says that it is of another factory", "서명된 기록이 다른 기업의 것이라고 함"),
        NOT_COUNTED,
        changed(lambda d: d.update(factory="other")),
    ),
    "other_key": Trick(
        Text("the manifest shows another key than before", "매니페스트의 키가 바뀜"),
        Text("it keeps the key that came first, and asks the owner", "처음 받은 키를 유지하고 기업에 확인한다"),
        fields(_other_key), blocks=True,
    ),
    "older_head": Trick(
        Text("the manifest has an older head than before", "매니페스트의 마지막 기록이 이전보다 오래됨"),
        OLD_STAYS, _older_head, blocks=True,
    ),
    "large_report": Trick(
        Text("the report has 33 kB", "보고서가 33 kB임"),
        OLD_STAYS, fields(report=lambda d: d.update(note=d["note"] + "x" * LARGE)),
    ),
    "unknown_fields": Trick(
        Text("payloads have a field that nobody knows yet, an event is new", "모르는 필드와 새 이벤트가 옴"),
        Text("it takes what it knows", "아는 것만 읽는다"), _future,
    ),
    "missing_fields": Trick(
        Text("manifest, report and record lack a field", "매니페스트, 보고서, 기록에 필수 필드가 없음"), OLD_STAYS,
        _both(fields(lambda d: d.pop("consent"), lambda d: d.pop("window")), changed(lambda d: d.pop("evidence"))),
        blocks=True,
    ),
    "big_integers": Trick(
        Text("the report shows an integer beyond 2^53 as a string", "2^53을 넘는 정수가 문자열로 옴"),
        Text("it shows every digit", "모든 자릿수를 그대로 보인다"), fields(report=_big),
    ),
    "garbage": Trick(
        Text("manifest, report and record are no JSON", "매니페스트, 보고서, 기록이 JSON이 아님"),
        OLD_STAYS, _garbage, blocks=True,
    ),
    "duplicate": Trick(Text("each message comes twice", "메시지가 두 번씩 옴"), ONCE, _twice),
    "reordered": Trick(Text("three days come in the wrong order", "3일치 기록이 거꾸로 옴"), ONCE, play=_backwards),
    "retained_day": Trick(
        Text("a record is retained", "기록이 보존 메시지로 옴"),
        Text("it takes it like any other", "다른 기록과 똑같이 다룬다"), _retained,
    ),
    "pages": Trick(
        Text("an answer has two records, and says where to go on", "응답이 2건씩 나뉘어 옴"),
        reply=_pages, play=_gap,
    ),
    "silent": Trick(
        Text("requests are not answered", "요청에 응답하지 않음"), reply=_nothing, play=unpublished, blocks=True
    ),
    "late": Trick(
        Text("answers come when they have expired", "만료된 뒤에 응답이 옴"),
        reply=_late, play=unpublished, blocks=True,
    ),
    "duplicate_answers": Trick(
        Text("each answer comes twice", "응답이 두 번씩 옴"), ONCE, reply=_doubled, play=unpublished
    ),
    "foreign_answer": Trick(
        Text("an answer has another's correlation data", "상관 데이터가 다른 응답이 옴"),
        Text("it leaves it alone", "무시한다"), reply=_of_another, play=unpublished, blocks=True,
    ),
    "spoilt_answer": Trick(
        Text("an answer cannot be read", "응답을 읽을 수 없음"),
        NOT_COUNTED, reply=_spoilt, play=unpublished, blocks=True,
    ),
    "busy": Trick(
        Text("everything is refused with busy", "모든 요청을 busy로 거부함"),
        reply=_busy, play=unpublished, blocks=True,
    ),
    "no_consent": Trick(
        Text("the factory agrees to levels only, and later to all again", "동의 범위를 줄였다가 다시 늘림"),
        Text("it shows nothing of what was taken back", "동의가 철회된 것은 보이지 않는다"),
        play=_taken_back, after=_given_again, blocks=True,
    ),
}  # fmt: skip
"""Name of a trick -> what it is."""

"""`tsq-agent conform`: play the platform for an agent of whatever make, or an agent for a platform.

Says where the other side leaves the wire: topic, field, what was expected and found, and by which rule.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.cli.maintenance import duration
from agent.cli.table import clean
from agent.clock import SystemClock
from agent.conform.bench import Bench
from agent.conform.checks import run
from agent.conform.findings import PAGE
from agent.conform.port import Port
from agent.conform.watch import Watch
from contract.signing import key_text, private_key
from contract.topics import AgentTopics
from settings.broker import Broker
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agent.conform.acting.actor import Actor
    from agent.conform.findings import Finding, Result
    from contract.signing import PublicKey
    from settings.language import Language

LOOK_S = 0.5
PATIENCE_NS = 90 * 10**9
WORDS = {True: Text("ok", "정상"), False: Text("FAILED", "실패"), None: Text("open", "확인 불가")}


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    where = Text("broker of the platform uplink, HOST[:PORT]", "플랫폼 업링크 브로커, HOST[:PORT]")
    name = Text("MQTT user, where the broker asks for one", "MQTT 사용자 이름(브로커가 요구할 때)")
    secret = Text("env:NAME or file:/path of its password", "비밀번호 위치. env:이름 또는 file:/경로")
    ca = Text("TLS, believing this certificate authority (PEM)", "TLS 인증기관 인증서(PEM)")
    older = Text("speak MQTT 3.1.1", "MQTT 3.1.1로 접속")
    register = Text(
        "key that registers solutions: a file with 64 hex digits; without it `fit.check` is only asked wrongly",
        "솔루션 등록 키 파일(16진수 64자). 없으면 fit.check는 잘못된 요청만 시험",
    )
    freeze = Text("have a baseline frozen; it stays with the agent", "기준값 고정도 시험(에이전트에 남음)")
    length = Text("stay so long and check what comes, `2h`", "이 시간 동안 머물며 새 메시지를 시험. 예: 2h")
    platform = Text("test a platform instead: play the agent", "반대로 플랫폼을 시험: 에이전트 역할을 함")
    tricks = Text("with --platform: only this trick; may be repeated", "--platform과 함께: 이 상황만(여러 번 가능)")
    patience = Text("with --platform: longest wait for a request, `90s`", "--platform과 함께: 요청을 기다리는 시간")
    parser.add_argument("factory", help=Text("id of the factory", "기업 id")(language))
    parser.add_argument("agent", help=Text("id of the agent", "에이전트 id")(language))
    parser.add_argument("--broker", default="127.0.0.1", metavar="HOST[:PORT]", help=where(language))
    parser.add_argument("--user", help=name(language))
    parser.add_argument("--password", help=secret(language))
    parser.add_argument("--ca", metavar="FILE", help=ca(language))
    parser.add_argument("--mqtt311", action="store_true", help=older(language))
    parser.add_argument("--register", type=Path, metavar="FILE", help=register(language))
    parser.add_argument("--freeze", action="store_true", help=freeze(language))
    parser.add_argument("--for", dest="length", type=duration(language), default=None, help=length(language))
    parser.add_argument("--platform", action="store_true", help=platform(language))
    parser.add_argument("--trick", action="append", metavar="NAME", help=tricks(language))
    parser.add_argument("--patience", type=duration(language), default=PATIENCE_NS, help=patience(language))
    parser.add_argument("--json", action="store_true", help=Text("for programs", "프로그램용 JSON")(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Test; return 0 when nothing is found, 1 when something is, 2 when nothing can be asked."""
    host, _, port_text = args.broker.partition(":")
    wanted: dict[str, object] = {"host": host, "user": args.user, "password": args.password}
    wanted |= {"port": port_text} if port_text else {}
    wanted |= {"tls": {"ca": args.ca}} if args.ca else {}
    try:
        broker = Broker.model_validate({name: value for name, value in wanted.items() if value is not None})
        seed = (
            None if args.register is None else private_key(bytes.fromhex(args.register.read_text("ascii").strip()))
        )
    except ValidationError as exc:
        print(f"tsq-agent: {args.broker}: {exc.errors()[0]['msg']}", file=sys.stderr)
        return 2
    except (OSError, ValueError) as exc:
        print(f"tsq-agent: {args.register}: {exc}", file=sys.stderr)
        return 2
    topics = AgentTopics(args.factory, args.agent)
    if args.platform:
        return _platform(args, language, broker, topics, None if seed is None else seed.public_key())
    port = Port(broker, topics, args.user or "", older=args.mqtt311)
    try:
        if not port.open():
            return _away(port.trouble, language)
        return _agent(args, language, Bench(port, register=seed, freeze=args.freeze))
    finally:
        port.close()


def _away(trouble: Text | None, language: Language) -> int:
    text = trouble or Text("the broker does not answer", "브로커가 응답하지 않습니다")
    print(f"tsq-agent: {text(language)}", file=sys.stderr)
    return 2


def _agent(args: argparse.Namespace, language: Language, bench: Bench) -> int:
    bench.port.settled(bench.patience.settled)
    found = []
    if bench.register is not None and not args.json:
        words = Text("solutions are registered by the key", "솔루션 등록 키(공개키)")
        print(f"{words(language)} {key_text(bench.register.public_key())}")
    for result in _results(args, bench):
        found.append(result)
        if not args.json:
            print(f"{clean(result.check):<10} {WORDS[result.ok](language)}  {result.text}".rstrip())
            _tell(result.findings)
    failed = any(result.ok is False for result in found)
    if args.json:
        checks = [
            {"check": r.check, "ok": r.ok, "text": r.text, "findings": [_told(f) for f in r.findings]}
            for r in found
        ]
        agent = f"{bench.port.topics.factory}/{bench.port.topics.agent}"
        told = {"agent": agent, "conforms": not failed, "mqtt": bench.port.version, "checks": checks}
        if bench.register is not None:
            told["register"] = key_text(bench.register.public_key())
        print(json.dumps(told, ensure_ascii=False, indent=2))
    return 1 if failed else 0


def _results(args: argparse.Namespace, bench: Bench) -> Iterator[Result]:
    yield from run(bench)
    if args.length is None or bench.seen is None:
        return
    clock = SystemClock()
    end, watch = clock.monotonic() + args.length, Watch(bench)
    watch.begin()
    while clock.monotonic() < end:
        yield from watch.turn(LOOK_S)


def _tell(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        print(f"    {clean(str(finding))}", flush=True)


def _told(finding: Finding) -> dict[str, str]:
    return {
        "topic": finding.topic,
        "field": finding.field,
        "expected": finding.expected,
        "found": finding.found,
        "rule": f"{PAGE}{finding.rule}",
    }


def _platform(
    args: argparse.Namespace, language: Language, broker: Broker, topics: AgentTopics, register: PublicKey | None
) -> int:
    from agent.conform.acting.actor import Actor  # noqa: PLC0415 - only who plays an agent needs all of it
    from agent.conform.acting.tricks import TRICKS  # noqa: PLC0415

    chosen = args.trick or list(TRICKS)
    if unknown := [name for name in chosen if name not in TRICKS]:
        print(f"tsq-agent: --trick {unknown[0]}: {', '.join(TRICKS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tsq-conform-") as folder:
        actor = Actor(broker, topics, Path(folder), _yesterday(), register=register, older=args.mqtt311)
        try:
            if not actor.open():
                return _away(actor.trouble, language)
            return _play(args, language, actor, chosen)
        finally:
            actor.close()


def _yesterday() -> date:
    return (datetime.fromtimestamp(SystemClock().now() / 1e9, UTC) - timedelta(days=1)).date()


def _play(args: argparse.Namespace, language: Language, actor: Actor, chosen: list[str]) -> int:
    from agent.conform.acting.judge import scene  # noqa: PLC0415
    from agent.conform.acting.tricks import TRICKS  # noqa: PLC0415

    words = Text("nobody can see here whether", "여기서 확인할 수 없는 것")
    scenes = []
    for name in chosen:
        done, trick = scene(actor, name, args.patience / 1e9, args.patience / 6e9), TRICKS[name]
        scenes.append(done)
        if not args.json:
            print(f"{name:<17} {WORDS[not done.findings](language)}  {trick.text(language)}")
            _tell(done.findings)
            if trick.unseen is not None:
                print(f"    {words(language)}: {trick.unseen(language)}", flush=True)
    failed = any(one.findings for one in scenes)
    if args.json:
        told = [
            {
                "trick": one.trick,
                "ok": not one.findings,
                "text": TRICKS[one.trick].text(language),
                "requests": one.asked,
                "findings": [_told(f) for f in one.findings],
                "unseen": None if (hidden := TRICKS[one.trick].unseen) is None else hidden(language),
            }
            for one in scenes
        ]
        agent = f"{actor.topics.factory}/{actor.topics.agent}"
        print(json.dumps({"agent": agent, "conforms": not failed, "tricks": told}, ensure_ascii=False, indent=2))
    return 1 if failed else 0

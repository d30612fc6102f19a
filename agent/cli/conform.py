"""`tsq-agent conform`: ask an agent of whatever make as a platform would, and say where it leaves the wire."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.conform.checks import run
from agent.conform.port import Port
from contract.topics import AgentTopics
from settings.broker import Broker
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from settings.language import Language

RETAINED_S = 2.0
"""Retained messages come at once after the subscription."""


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    where = Text("broker of the platform uplink, HOST[:PORT]", "플랫폼 업링크 브로커, HOST[:PORT]")
    name = Text("MQTT user, where the broker asks for one", "MQTT 사용자 이름(브로커가 요구할 때)")
    secret = Text("env:NAME or file:/path of its password", "비밀번호 위치. env:이름 또는 file:/경로")
    ca = Text("TLS, believing this certificate authority (PEM)", "TLS 인증기관 인증서(PEM)")
    parser.add_argument("factory", help=Text("id of the factory", "기업 id")(language))
    parser.add_argument("agent", help=Text("id of the agent", "에이전트 id")(language))
    parser.add_argument("--broker", default="127.0.0.1", metavar="HOST[:PORT]", help=where(language))
    parser.add_argument("--user", help=name(language))
    parser.add_argument("--password", help=secret(language))
    parser.add_argument("--ca", metavar="FILE", help=ca(language))
    parser.add_argument("--json", action="store_true", help=Text("for programs", "프로그램용 JSON")(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Run all checks; return 0 when none fails, 1 when one does, 2 when nothing can be asked."""
    host, _, port_text = args.broker.partition(":")
    wanted: dict[str, object] = {"host": host, "user": args.user, "password": args.password}
    wanted |= {"port": port_text} if port_text else {}
    wanted |= {"tls": {"ca": args.ca}} if args.ca else {}
    try:
        broker = Broker.model_validate({name: value for name, value in wanted.items() if value is not None})
    except ValidationError as exc:
        print(f"tsq-agent: {args.broker}: {exc.errors()[0]['msg']}", file=sys.stderr)
        return 2
    port = Port(broker, AgentTopics(args.factory, args.agent), args.user or "")
    try:
        if not port.open():
            trouble = port.trouble or Text("the broker does not answer", "브로커가 응답하지 않습니다")
            print(f"tsq-agent: {trouble(language)}", file=sys.stderr)
            return 2
        return _run(port, language, as_json=args.json)
    finally:
        port.close()


def _run(port: Port, language: Language, *, as_json: bool) -> int:
    port.settled(RETAINED_S)
    words = {True: Text("ok", "정상"), False: Text("FAILED", "실패"), None: Text("open", "확인 불가")}
    found = []
    for result in run(port):
        found.append(result)
        if not as_json:
            print(f"{result.check:<10} {words[result.ok](language)}  {result.text}".rstrip(), flush=True)
    failed = any(result.ok is False for result in found)
    if as_json:
        checks = [{"check": r.check, "ok": r.ok, "text": r.text} for r in found]
        agent = f"{port.topics.factory}/{port.topics.agent}"
        print(json.dumps({"agent": agent, "conforms": not failed, "checks": checks}, ensure_ascii=False, indent=2))
    return 1 if failed else 0

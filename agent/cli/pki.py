"""`tsq-agent pki`: whom the agent trusts on OPC UA, whom it has refused, and its own certificate.

It works on the folder alone, whether or not an agent runs: the agent looks into it at each attempt.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import config_argument
from agent.cli.table import clean, table
from agent.config.load import load
from agent.errors import Refused
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from agent.collectors.opcua.pki import Entry, Pki
    from agent.frame import Json
    from settings.language import Language

STATES: Mapping[str, Text] = {
    "own": Text("own", "자기 인증서"),
    "trusted": Text("trusted", "신뢰함"),
    "issuers": Text("issuer", "발급 기관"),
    "rejected": Text("rejected", "거부됨"),
}
FIELDS: Mapping[str, Text] = {
    "subject": Text("subject", "주체"),
    "issuer": Text("issuer", "발급자"),
    "not_before": Text("valid from", "유효 기간 시작"),
    "not_after": Text("valid until", "유효 기간 끝"),
    "thumbprint": Text("SHA-1 thumbprint", "지문(SHA-1)"),
    "sha256": Text("SHA-256", "지문(SHA-256)"),
    "self_signed": Text("self-signed", "자체 서명"),
    "key_bits": Text("RSA key, bits", "RSA 키 길이(비트)"),
    "application_uris": Text("ApplicationUri", "ApplicationUri"),
    "hosts": Text("hosts", "호스트"),
}


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    does = {
        "list": Text("all certificates", "모든 인증서 보기"),
        "show": Text("what stands in one", "인증서 내용 보기"),
        "trust": Text("trust a server, or an authority and all of its servers", "서버 또는 발급 기관을 신뢰 등록"),
        "reject": Text("trust a server no longer", "신뢰 해제"),
        "own": Text("our certificate, for the server's administrator", "서버 관리자에게 줄 에이전트 인증서"),
    }
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, text in does.items():
        one = actions.add_parser(action, help=text(language), description=text(language))
        if action in {"show", "trust", "reject"}:
            word = Text("the first digits of its SHA-1 thumbprint", "SHA-1 지문의 앞 몇 자리")
            if action == "trust":
                word = Text(f"{word.en}, or a file, DER or PEM", f"{word.ko}, 또는 DER/PEM 인증서 파일")
            one.add_argument("certificate", metavar="THUMBPRINT", help=word(language))
        if action == "own":
            out = Text("write it into this file (DER)", "이 파일로 저장(DER)")
            renew = Text(
                "make a new one, ten years long; every server has to trust it anew",
                "10년짜리 새 인증서 만들기. 모든 서버에서 다시 신뢰 등록해야 함",
            )
            one.add_argument("--out", type=Path, metavar="FILE", help=out(language))
            one.add_argument("--renew", action="store_true", help=renew(language))
        config_argument(one, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Do one action on the folder.

    Returns:
        0, or 1 when there is no such certificate or the folder cannot be used.
    """
    from agent.collectors.opcua.pki import Pki  # noqa: PLC0415 - cryptography is of the agent's extra

    config = load(args.config, language)
    folder = config.storage.directory / "pki"
    pki = Pki(folder)
    try:
        match args.action:
            case "list":
                return _list(pki, language)
            case "own":
                return _own(pki, args, language)
            case "show":
                return _show(pki, args.certificate, language)
            case action:
                return _change(pki, action, args.certificate, language)
    except Refused as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
    except OSError as exc:
        place = exc.filename or folder
        text = Text(
            f"{place}: {exc.strerror}: may you write there (sudo)?",
            f"{place}에 접근할 수 없습니다({exc.strerror}). 권한을 확인하거나 sudo로 실행하십시오",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
    return 1


def _list(pki: Pki, language: Language) -> int:
    rows = []
    for entry in pki.entries():
        said = entry.described()
        rows.append(
            (STATES[entry.state](language), entry.thumbprint, str(said["subject"]), str(said["not_after"])[:10])
        )
    head = Text("state,SHA-1 thumbprint,subject,valid until", "상태,지문(SHA-1),주체,유효 기간 끝")(language)
    for line in table(head.split(","), rows):
        print(line)
    if not rows:
        empty = Text(
            f"{pki.folder} is empty: the agent makes its certificate at its first secure connection, or `pki own`",
            f"{pki.folder}에 인증서가 없습니다. 첫 보안 연결 때 또는 `pki own` 명령으로 만들어집니다",
        )
        print(empty(language))
    return 0


def _print(said: Mapping[str, Json], language: Language) -> None:
    yes = Text("yes", "예"), Text("no", "아니요")
    for key, text in FIELDS.items():
        value = said[key]
        if isinstance(value, bool):
            shown = yes[not value](language)
        elif isinstance(value, list):
            shown = ", ".join(map(str, value)) or "-"
        else:
            shown = str(value)
        print(f"{text(language)}: {clean(shown)}")


def _found(pki: Pki, prefix: str, language: Language, *states: str) -> Entry | None:
    """Return the certificate that is meant; say what is, when none or several are."""
    from agent.collectors.opcua.pki import chosen  # noqa: PLC0415

    found = pki.find(prefix, *states)  # type: ignore[arg-type]
    entry = chosen(found) if prefix else None
    if entry is None:
        several = ", ".join(sorted({e.thumbprint for e in found})) if prefix else ""
        text = Text(
            f"{prefix} begins several thumbprints, write more digits: {several}"
            if several
            else f"no certificate begins with {prefix}: see `tsq-agent pki list`",
            f"{prefix}(으)로 시작하는 지문이 여럿입니다. 더 길게 쓰십시오: {several}"
            if several
            else f"{prefix}(으)로 시작하는 인증서가 없습니다. `tsq-agent pki list`로 확인하십시오",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
    return entry


def _show(pki: Pki, prefix: str, language: Language) -> int:
    entry = _found(pki, prefix, language)
    if entry is None:
        return 1
    print(f"{STATES[entry.state](language)}: {entry.path}")
    _print(entry.described(), language)
    return 0


def _change(pki: Pki, action: str, wanted: str, language: Language) -> int:
    """Trust or reject one."""
    file = Path(wanted)
    if action == "trust" and file.is_file():
        from agent.collectors.opcua.pki import read_certificate  # noqa: PLC0415

        try:
            certificate = read_certificate(file.read_bytes())
        except ValueError:
            text = Text(f"{file} is no certificate, DER or PEM", f"{file}은(는) DER/PEM 인증서 파일이 아닙니다")
            print(f"tsq-agent: {text(language)}", file=sys.stderr)
            return 1
    else:
        entry = _found(pki, wanted, language, "trusted", "rejected", "issuers")
        if entry is None:
            return 1
        certificate = entry.certificate
    from agent.collectors.opcua.certificates import described  # noqa: PLC0415

    if action == "trust":
        pki.trust(certificate)
        done = Text(
            "trusted; the agent connects within a minute, or at once after `tsq-agent retry DEVICE`",
            "신뢰 등록했습니다. 에이전트가 1분 안에 다시 접속합니다. "
            "바로 접속하려면 `tsq-agent retry 장치`를 실행하십시오",
        )
    else:
        pki.reject(certificate)
        done = Text(
            "rejected; a connection that stands goes on until the agent or the server ends it",
            "신뢰를 해제했습니다. 이미 맺은 연결은 끊길 때까지 유지됩니다",
        )
    _print(described(certificate), language)
    print(done(language))
    return 0


def _own(pki: Pki, args: argparse.Namespace, language: Language) -> int:
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.collectors.opcua.certificates import Moment, der, described  # noqa: PLC0415

    # whether the clock is right is not asked here: the certificate begins at the earliest possible moment
    moment = Moment(SystemClock().now(), trusted=False)
    owner = pki.renew(moment) if args.renew else pki.own(moment)
    _print(described(owner.certificate), language)
    if args.out is not None:
        args.out.write_bytes(der(owner.certificate))
        written = Text(
            f"written to {args.out}: let the server's administrator trust it",
            f"{args.out}에 저장했습니다. 서버 관리자에게 신뢰 등록을 요청하십시오",
        )
        print(written(language))
    return 0

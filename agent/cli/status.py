"""`tsq-agent status`: what each device is doing, in lines that fit a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from agent.cli import config_argument
from agent.cli.asking import ask
from agent.cli.attention import attention
from agent.cli.clockview import clock_line, disagreement_line
from agent.cli.table import clean, width
from agent.cli.watching.model import milliseconds, span_words
from agent.cli.words import STATES
from agent.config.load import load
from settings.language import Text
from transport.expiry import EARLY_NS, expires

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from settings.language import Language

_SECOND = 10**9
_UPLINKS = {
    "site": Text("site", "사업장 브로커"),
    "platform": Text("platform", "플랫폼 브로커"),
    "sparkplug": Text("Sparkplug", "Sparkplug(SCADA)"),
}


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    text = Text("as one line of JSON", "JSON 한 줄로 출력")
    parser.add_argument("--json", action="store_true", help=text(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Ask the running agent and print its answer."""
    answer = ask(load(args.config, language), language, "status")
    if answer is None:
        return 1
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0
    for line in lines(cast("Mapping[str, Any]", answer), language):
        print(line)
    return 0


def lines(answer: Mapping[str, Any], language: Language) -> list[str]:
    """Return it as lines: who, each device with its refused signals, the spool, the uplinks."""
    now = int(answer["time"])
    clock = "" if answer["clock_trusted"] else Text("  (clock not trusted)", "  (시각 미확인)")(language)
    out = [f"{answer['agent']}  {answer['name']}{clock}"]
    devices: Mapping[str, Mapping[str, Any]] = answer["devices"]
    wide = max((len(name) for name in devices), default=0)
    states = max(width(state(language)) for state in STATES.values())
    for name, device in devices.items():
        state = STATES[device["state"]](language)
        since = max(0, now - int(device["since"])) // _SECOND if int(device["since"]) else 0
        why = Text(device["text"], device.get("text_ko") or device["text"])(language)
        text = f"  {clean(why)}" if why and device["state"] != "up" else ""
        rows, bad, outages = device["rows"], device["bad_rows"], device["outages"]
        counts = Text(
            f"rows {rows}, bad {bad}, outages {outages}", f"수집 {rows}건, 불량 {bad}건, 통신 끊김 {outages}회"
        )(language)
        out.append(f"  {name:{wide}}  {state}{' ' * (states - width(state))} {_span(since):>9}  {counts}{text}")
        if (stats := _stats(device.get("stats") or {}, language)) is not None:
            out.append(f"  {'':{wide}}  {stats}")
        out += [f"  {'':{wide}}  ! {line}" for line in attention(name, device, now, language)]
        refused = device.get("refused_ko") if language == "ko" else None
        out += [f"  {'':{wide}}  - {clean(one)}" for one in refused or device["refused"]]
    out.append("  " + clock_line(answer["clock"])(language))
    if (clash := disagreement_line(answer["clock"])) is not None:
        out.append("  " + clean(clash(language)))
    out.append("  " + _spool(answer["spool"], now)(language))
    for key, uplink in _UPLINKS.items():
        if (up := answer["uplink"].get(key)) is not None:
            said = Text("connected", "연결됨") if up else Text("not connected", "연결 안 됨")
            out.append(f"  {uplink(language)}: {said(language)}")
            out += [f"    - {clean(line)}" for line in _uplink(answer["uplink"], key, language)]
    return out


def _uplink(uplink: Mapping[str, Any], key: str, language: Language) -> Iterator[str]:
    """Yield why there is no connection, and when its certificate runs out."""
    if not uplink[key] and (trouble := uplink.get("troubles", {}).get(key)):
        yield Text(trouble["en"], trouble["ko"])(language)
    left_ns = round(uplink.get("certificates", {}).get(key, EARLY_NS) * _SECOND)
    if left_ns < EARLY_NS:
        yield expires(left_ns)(language)


def _stats(stats: Mapping[str, Any], language: Language) -> str | None:
    """Return how a device answers and what it is asked, in one line; None before the first request."""
    requests = stats.get("requests") or 0
    if not requests:
        return None
    failed = stats["timeouts"] + stats["exceptions"]
    rtt, p95 = milliseconds(stats["rtt_ns"]), milliseconds(stats["rtt_p95_ns"])
    rate, busy, slow = stats["per_second"], stats["busy"], stats["slowdown"]
    line = Text(
        f"{rtt} ms (95 %: {p95}), {rate:.1f} requests/s, busy {busy:.0%}, {failed} of {requests} failed, "
        f"{stats['reconnects']} reconnects",
        f"응답 {rtt} ms(95 %: {p95}), 초당 요청 {rate:.1f}회, 점유율 {busy:.0%}, 실패 {failed}/{requests}회, "
        f"재접속 {stats['reconnects']}회",
    )(language)
    if slow > 1.05:
        line += Text(f", slowed down x{slow:.1f}", f", 감속 x{slow:.1f}")(language)
    if stats["backoff_ns"]:
        wait = span_words(stats["backoff_ns"])
        line += Text(f", left alone for {wait}", f", 재접속 대기 {wait}")(language)
    return line


def _spool(spool: Mapping[str, Any], now: int) -> Text:
    entries, rows, size = spool["entries"], spool["rows"], spool["bytes"]
    age = None if spool["oldest_ns"] is None else _span(max(0, now - spool["oldest_ns"]) // _SECOND)
    en, ko = (f", oldest {age}", f", 가장 오래된 것 {age} 전") if age else ("", "")
    return Text(
        f"spool: {entries} entries wait ({rows} rows{en}), {size} bytes on disk",
        f"저장 대기 데이터: {entries}묶음({rows}건{ko}), 디스크 사용 {size}바이트",
    )


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{days}d {clock}" if days else clock

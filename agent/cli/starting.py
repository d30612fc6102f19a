"""The questions of `tsq-agent init`, and the file that their answers make.

One question follows from the answers so far, so that going back is forgetting the last. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from agent.config.base import Zone
from agent.edit import inline
from agent.importing.ids import latin
from settings.base import Host, Id, Name, TopicId
from settings.language import Complaint, Text
from settings.schedule import DAYS, Weekdays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Answers = dict[str, Any]
"""What was answered: texts, `machines` (id, name), `devices` (dicts as in the file), `planned` (dicts)."""

TYPES = {"modbus": "modbus", "opcua": "opcua", "xgt": "xgt", "1": "modbus", "2": "xgt", "3": "opcua"}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(\S+)\s+(\d{1,2}:\d\d)\s*[-~]\s*(\d{1,2}:\d\d)")
_KOREAN_DAYS = str.maketrans(dict(zip("월화수목금토일", DAYS, strict=True)) | {"~": "-"})


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        key: Where the answer goes.
        text: What is asked.
        default: The answer of an empty line.
        read: Turns a line into an answer; a `Complaint` says what to write instead.
    """

    key: str
    text: Text
    default: str
    read: Callable[[str], Any]


def question(answers: Answers) -> Question | None:
    """Return the next question; None when all is answered."""
    name = answers.get("name", "")
    plain: list[tuple[str, Text, str, Callable[[str], Any]]] = [
        ("name", Text("name of the factory", "공장 이름"), "", _of(Name)),
        ("factory", Text("its id at the platform (a-z 0-9 -)", "공장 id(영문 소문자, 숫자, -)"),
         latin(name).replace("_", "-")[:32].strip("-") or "factory-1", _of(TopicId)),
        ("site", Text("id of this address of it", "사업장 id"), "main", _of(TopicId)),
        ("agent", Text("id of this box", "이 수집 PC의 id"), "edge-1", _of(TopicId)),
        ("zone", Text("time zone", "시간대"), "Asia/Seoul", _of(Zone)),
        ("day", Text("when does the production day begin", "생산일 시작 시각"), "08:00", _clock),
        ("planned", Text("planned hours, DAYS FROM-TO, with commas", "계획 가동시간(요일 시작-끝, 쉼표로 구분)"),
         "mon-fri 08:00-17:00", _planned),
        ("machines", Text("machines, with commas", "설비 이름(쉼표로 구분)"), "", _machines),
    ]  # fmt: skip
    for key, text, default, read in plain:
        if key not in answers:
            return Question(key, text, default, read)
    if not answers.get("no more devices"):
        return _device_question(answers)
    if "broker" not in answers:
        text = Text("MQTT broker of the factory (host or host:port)", "사업장 MQTT 브로커(주소 또는 주소:포트)")
        return Question("broker", text, "127.0.0.1", _broker)
    return None


def _device_question(answers: Answers) -> Question:
    devices: list[Answers] = answers.get("devices", [])
    open_ = devices[-1] if devices and "machine" not in devices[-1] else None
    if open_ is not None:
        machines = [id_ for id_, _ in answers["machines"]]
        used = {device.get("machine") for device in devices}
        usual = next((m for m in machines if m not in used), machines[0])
        text = Text(
            f"machine of {open_['id']} ({', '.join(machines)})", f"{open_['id']}의 설비({', '.join(machines)})"
        )
        return Question("machine of device", text, usual, lambda line: _one_of(line, machines))
    text = Text(
        "device: type and address (modbus 192.168.0.10, xgt 192.168.0.20, opcua 192.168.0.30; Enter: no more)",
        "장치: 종류와 주소(modbus 192.168.0.10, xgt 192.168.0.20, opcua 192.168.0.30. 없으면 Enter)",
    )
    return Question("device", text, "", lambda line: device_of(line, devices) if line else None)


def taken(answers: Answers, asked: Question, answer: Any) -> Answers:
    """Return the answers with one more."""
    made = dict(answers)
    devices = [dict(device) for device in answers.get("devices", [])]
    if asked.key == "machine of device":
        devices[-1]["machine"] = answer
        made["devices"] = devices
    elif asked.key == "device" and answer is None:
        made["no more devices"] = True
    elif asked.key == "device":
        if len(answers["machines"]) == 1:
            answer["machine"] = answers["machines"][0][0]
        made["devices"] = [*devices, answer]
    else:
        made[asked.key] = answer
    return made


def _of(kind: Any) -> Callable[[str], Any]:
    adapter = TypeAdapter(kind)

    def read(line: str) -> Any:
        try:
            return adapter.validate_python(line)
        except ValidationError as exc:
            error = exc.errors()[0].get("ctx", {}).get("error")
            if isinstance(error, Complaint):
                raise error from exc
            raise Complaint(
                "write a-z, 0-9 and -, at most 32 characters", "영문 소문자, 숫자, -로 32자까지 쓰십시오"
            ) from exc

    return read


def _clock(line: str) -> str:
    line = unicodedata.normalize("NFKC", line)
    if (match := _CLOCK.fullmatch(line)) is None:
        raise Complaint("write a time such as 08:00", "08:00처럼 시각을 쓰십시오")
    return f"{int(match[1]):02}:{match[2]}"


def _planned(line: str) -> list[dict[str, str]]:
    found = []
    for part in filter(None, (p.strip() for p in unicodedata.normalize("NFKC", line).split(","))):
        if (match := _SPAN.fullmatch(part)) is None:
            raise Complaint("write mon-fri 08:00-17:00", "mon-fri 08:00-17:00처럼 쓰십시오")
        days = match[1].replace("요일", "").translate(_KOREAN_DAYS)
        _of(Weekdays)(days)
        found.append({"days": days, "from": _clock(match[2]), "to": _end(match[3])})
    return found


def _end(line: str) -> str:
    return line if line == "24:00" else _clock(line)


def _machines(line: str) -> list[tuple[str, str]]:
    """Return (id, name) of each; `press-1=프레스 1호기` gives the id as well."""
    found: dict[str, str] = {}
    for number, part in enumerate(filter(None, (p.strip() for p in line.split(","))), 1):
        id_, _, name = part.rpartition("=")
        made = id_.strip() or latin(part)[:48].strip("-_") or f"machine-{number}"
        if made in found:
            made = f"{made[:44]}-{number}"
        found[_of(Id)(made)] = _of(Name)(name)
    if not found:
        raise Complaint("write at least one machine", "설비를 하나 이상 쓰십시오")
    return list(found.items())


def _one_of(line: str, known: list[str]) -> str:
    if line not in known:
        raise Complaint(f"write one of {', '.join(known)}", f"다음 중에서 쓰십시오: {', '.join(known)}")
    return line


def _broker(line: str) -> dict[str, Any]:
    host, _, port = line.rpartition(":") if line.count(":") == 1 else (line, "", "")
    found = {"host": _of(Host)(host)}
    if port:
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise Complaint("write a port from 1 to 65535", "포트는 1~65535입니다")
        found["port"] = int(port)
    return found


def device_of(line: str, others: list[Answers]) -> Answers:
    """Return what `modbus 192.168.0.10:502` says; the machine comes later.

    Raises:
        Complaint: it is written in another way.
    """
    kind, _, place = line.strip().partition(" ")
    place = place.strip()
    if kind.lower() not in TYPES or not place:
        raise Complaint(
            "write modbus, xgt or opcua and the address: modbus 192.168.0.10",
            "modbus, xgt, opcua 중 하나와 주소를 쓰십시오. 예: modbus 192.168.0.10",
        )
    kind = TYPES[kind.lower()]
    parts = urlsplit(place if "://" in place else f"//{place}")
    try:
        host, port = _of(Host)(parts.hostname or ""), parts.port
    except ValueError as exc:
        raise Complaint(f"{place} is no address", f"주소 형식이 아닙니다({place})") from exc
    same = sum(device["type"] == kind for device in others)
    found: Answers = {"id": f"{kind}-{same + 1}", "type": kind}
    if kind == "opcua":
        shown = f"[{host}]" if ":" in host else host
        return found | {"endpoint": f"opc.tcp://{shown}:{port or 4840}{parts.path}", "security": "None"}
    return found | {"host": host} | ({"port": port} if port else {})


_FIRST: Mapping[str, dict[str, Any]] = {
    "modbus": {"id": "word-0", "address": "holding:0", "type": "uint16"},
    "xgt": {"id": "word-0", "address": "D00000", "type": "uint16"},
    "opcua": {"id": "server-time", "node": "i=2258", "type": "timestamp"},
}
_NOTES = {
    "modbus": Text(
        "a first address to try; find the right ones: tsq-agent probe FILE {id} holding:0",
        "시험용 첫 주소. 올바른 주소 찾기: tsq-agent probe 파일 {id} holding:0",
    ),
    "xgt": Text(
        "a first address to try; others: tsq-agent probe FILE {id} D00100, or tsq-agent import",
        "시험용 첫 주소. 주소 찾기: tsq-agent probe 파일 {id} D00100, 또는 tsq-agent import",
    ),
    "opcua": Text(
        "the server's clock; choose signals: tsq-agent browse FILE {id}",
        "서버 시각. 태그 고르기: tsq-agent browse 파일 {id}",
    ),
}


def written(answers: Answers, say: Callable[[Text], str]) -> str:
    """Return the file.

    Args:
        answers: All of them.
        say: Chooses the language of its comments.
    """
    head = Text(
        "Settings of one site. Check: tsq-agent check FILE; read once: tsq-agent check --connect FILE.",
        "사업장 수집 설정. 검사: tsq-agent check 파일, 한 번 읽기: tsq-agent check --connect 파일",
    )
    ids = Text("id of the company: never change it", "공장 id: 바꾸지 않습니다")
    clock = Text(
        "true where nothing sets this PC's clock over the network and somebody looks after it",
        "시각을 네트워크로 맞추지 못하는 PC에서 사람이 시각을 관리하면 true",
    )
    plan = Text(
        "planned hours; an end before its start is the next day", "계획 가동시간. 끝이 시작보다 이르면 다음 날"
    )
    every = Text("all machines, connected or not", "모든 설비(연결하지 않은 설비 포함)")
    login = Text('with a login: {host: ..., user: edge-1, password: "env:TSQ_MQTT_PASSWORD"}',
                 '로그인이 필요하면 {host: ..., user: edge-1, password: "env:TSQ_MQTT_PASSWORD"}')  # fmt: skip
    lines = [
        f"# {say(head)}",
        "version: 1",
        f"factory: {answers['factory']}   # {say(ids)}",
        f"site: {answers['site']}",
        f"agent: {answers['agent']}",
        f"name: {inline(answers['name'])}",
        "",
        "time:",
        f"  zone: {answers['zone']}",
        f"  trust_local_clock: false   # {say(clock)}",
        "",
        "schedule:",
        f"  production_day_start: {inline(answers['day'])}",
    ]
    if answers["planned"]:
        lines += [f"  planned:   # {say(plan)}", *(f"    - {inline(span)}" for span in answers["planned"])]
    lines += ["", f"machines:   # {say(every)}"]
    lines += [f"  - {inline({'id': id_, 'name': name})}" for id_, name in answers["machines"]]
    lines += ["", "uplink:", f"  # {say(login)}", f"  site: {inline(answers['broker'])}"]
    devices: list[Answers] = answers.get("devices", [])
    if devices:
        lines += ["", "devices:"]
    for number, device in enumerate(devices):
        lines += [""] if number else []
        order = ("id", "type", "machine", "host", "port", "endpoint", "security")
        pairs = [f"{key}: {inline(device[key])}" for key in order if key in device]
        lines += [f"  - {pairs[0]}", *(f"    {pair}" for pair in pairs[1:])]
        note = say(_NOTES[device["type"]]).format(id=device["id"])
        lines += ["    groups:", "      - every: 1s", "        signals:", f"          # {note}"]
        lines.append(f"          - {inline(_FIRST[device['type']])}")
    return "\n".join(lines) + "\n"

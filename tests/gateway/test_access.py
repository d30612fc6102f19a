"""The list of a broker's users: what is wrong is said at its line, and the files keep what an operator has set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway import access
from gateway.access_files import dynamic_security
from gateway.cli import main

if TYPE_CHECKING:
    from pathlib import Path

LIST = """\
version: 1
factories:
  - id: hanil
    agents:
      - {id: edge-1, reporter: true}
      - {id: edge-2}
  - id: daehan
    agents: [{id: edge-1, user: old-name}]
workers:
  - {id: w-1}
  - {id: w-2, factories: [hanil]}
platform: [{user: techsquare, factories: [daehan]}]
monitors: [{user: screen, factories: [hanil]}]
"""


def grants(text: str = LIST) -> dict[str, access.Grant]:
    wanted, problems = access.read(text.encode())
    assert wanted is not None, problems
    return {grant.user: grant for grant in access.grants(wanted)}


def test_each_user_has_what_his_part_needs_and_no_more() -> None:
    held = grants()
    assert list(held) == [
        "hanil.edge-1", "hanil.edge-2", "old-name", "gateway.w-1", "gateway.w-2", "techsquare", "screen",
    ]  # fmt: skip
    assert "tsq/1/hanil/+/evidence" in held["hanil.edge-1"].reads
    assert "tsq/1/hanil/+/evidence_ok" in held["hanil.edge-1"].writes
    assert not [topic for topic in held["hanil.edge-2"].reads if topic.startswith("tsq/1/hanil/+/")]
    assert held["old-name"].writes[0] == "tsq/1/daehan/edge-1/status"
    assert {"tsq/1/hanil/+/data", "tsq/1/daehan/+/data"} <= set(held["gateway.w-1"].reads)
    assert "tsq/1/daehan/+/data" not in held["gateway.w-2"].reads
    assert held["techsquare"].writes == ("tsq/1/daehan/+/answers", "tsq/1/daehan/+/req/+")
    assert "tsq/1/hanil/+/manifest" in held["hanil.edge-1"].reads
    assert not {"tsq/1/hanil/+/manifest", "tsq/1/hanil/edge-1/evidence_ok"} & {*held["hanil.edge-2"].reads}
    assert "tsq/1/daehan/+/rsp/techsquare" in held["techsquare"].reads
    assert not [topic for topic in held["techsquare"].reads if "/data" in topic or "/birth" in topic]
    assert held["screen"].writes == ()


def test_a_broker_of_one_uplink_knows_only_its_topics() -> None:
    site, platform = (grants(LIST + f"uplink: {name}\n") for name in ("site", "platform"))
    assert not [topic for topic in site["hanil.edge-1"].writes if "/readiness" in topic or "/rsp" in topic]
    assert site["techsquare"].reads == ()
    assert {topic.split("/")[4] for topic in platform["hanil.edge-2"].writes} == {
        "manifest", "readiness", "day", "event", "rsp",
    }  # fmt: skip
    assert platform["gateway.w-1"] == access.Grant("gateway.w-1", (), (), ())


def test_sparkplug_has_users_of_its_own() -> None:
    more = (
        "sparkplug: [{user: edge-1-sp, group: 한일 1공장, edge_node: edge-1}]\n"
        "scada: [{user: ignition, group: 한일 1공장, host: h}]\n"
    )
    held = grants(LIST + more)
    assert "spBv1.0/한일 1공장/DDATA/edge-1/+" in held["edge-1-sp"].writes
    assert not [topic for topic in held["edge-1-sp"].writes if "CMD" in topic or topic.startswith("tsq/")]
    assert held["ignition"].reads == ("spBv1.0/한일 1공장/#", "spBv1.0/STATE/h")
    for bad in ("a/b", "+", "#", "a\\nb"):
        wanted, problems = access.read((LIST + f'scada: [{{user: i, group: "{bad}", host: h}}]\n').encode())
        assert wanted is None
        assert "one level" in problems[0].text.en


@pytest.mark.parametrize(
    ("old", "new", "line", "en", "ko"),
    [
        ("{id: edge-2}", "{id: edge-1}", 6, "user hanil.edge-1 is already in line 5", "5행에 이미"),
        ("user: old-name", "user: gateway.w-1", 10, "is already in line 8", "8행에 이미"),
        ("id: daehan", "id: hanil", 7, "stands twice", "두 번"),
        ("w-2, factories: [hanil]", "w-2, factories: [hani]", 11, "did you mean hanil?", "혹시 hanil입니까?"),
        ("user: old-name", "user: '#'", 8, "a user is 1 to 64", "사용자 이름은"),
        ("user: old-name", "user: 'a/b'", 8, "a user is 1 to 64", "사용자 이름은"),
        ("user: techsquare", "user: a.b", 12, "last level of its answers' topic", "응답 토픽"),
        ("id: edge-2", "id: _gateway", 6, "a-z, 0-9 and -", "영문 소문자"),
        ("agents: [{id: edge-1, user: old-name}]", "agents: []", 8, "at least 1", "1개 이상"),
        ("version: 1", "version: 2", 1, "write 1", "쓸 수 있는 값"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, line: int, en: str, ko: str
) -> None:
    assert old in LIST
    path = tmp_path / "users.yaml"
    path.write_text(LIST.replace(old, new, 1), "utf-8")
    for language, words in (("en", en), ("ko", ko)):
        assert main(["--lang", language, "access", str(path), "--out", str(tmp_path / "out")]) == 78
        said = capsys.readouterr().err
        assert any(one.startswith(f"{path}:{line}: ") and words in one for one in said.splitlines()), said
    assert not (tmp_path / "out").exists()


def test_the_verb_writes_the_files_and_says_what_is_left_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "users.yaml", tmp_path / "out"
    path.write_text(LIST, "utf-8")
    assert main(["--lang", "en", "access", str(path), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert {one.name for one in out.iterdir()} == {"mosquitto.conf", "acl"}
    assert all(one.stat().st_mode & 0o007 == 0 for one in out.iterdir())
    assert "hanil.edge-1, hanil.edge-2, old-name" in said
    assert "rules: dynamic-security" in said, "there are two workers"
    path.write_text(LIST + "mosquitto: {rules: dynamic-security, users: password, administrator: root}\n", "utf-8")
    assert main(["--lang", "ko", "access", str(path), "--out", str(out)]) == 0
    assert "비밀번호를 만드십시오" in capsys.readouterr().out
    made = json.loads((out / "dynamic-security.json").read_text("utf-8"))
    assert made["defaultACLAccess"]["publishClientSend"] is False
    assert made["defaultACLAccess"]["subscribe"] is False
    assert [role["rolename"] for role in made["roles"]][-1] == "root"


def test_a_new_list_keeps_the_passwords_of_those_who_stay(tmp_path: Path) -> None:
    path, out = tmp_path / "users.yaml", tmp_path / "out"
    path.write_text(LIST + "mosquitto: {rules: dynamic-security}\n", "utf-8")
    assert main(["access", str(path), "--out", str(out)]) == 0
    file = out / "dynamic-security.json"
    file.chmod(0o600)
    made = json.loads(file.read_text("utf-8"))
    for client in made["clients"]:
        client |= {"password": f"hash of {client['username']}", "salt": "s", "iterations": 101}
    file.write_text(json.dumps(made), "utf-8")
    path.write_text(
        LIST.replace("{id: edge-2}", "{id: edge-3}") + "mosquitto: {rules: dynamic-security}\n", "utf-8"
    )
    assert main(["access", str(path), "--out", str(out)]) == 0
    clients = {client["username"]: client for client in json.loads(file.read_text("utf-8"))["clients"]}
    assert clients["hanil.edge-1"]["password"] == "hash of hanil.edge-1"
    assert "password" not in clients["hanil.edge-3"]
    assert "hanil.edge-2" not in clients
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{", '{"clients": 1}', '{"clients": [1]}', '{"clients": [{}]}'])
def test_a_file_that_is_not_the_plugins_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path, out = tmp_path / "users.yaml", tmp_path / "out"
    path.write_text(LIST + "mosquitto: {rules: dynamic-security}\n", "utf-8")
    out.mkdir()
    (out / "dynamic-security.json").write_text(content)
    assert main(["access", str(path), "--out", str(out)]) == 78
    assert "its passwords would be lost" in capsys.readouterr().err
    assert (out / "dynamic-security.json").read_text() == content


def test_the_same_list_gives_the_same_file() -> None:
    assert dynamic_security([*grants().values()]) == dynamic_security([*grants().values()])

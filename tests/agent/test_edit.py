"""Edits of a technician's file: what is inserted is all that changes, comments and line ends included."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.load import read
from agent.edit import add_device, add_signals, change_signal, inline
from settings.document import parse
from settings.language import Complaint

HEAD = """# 한일정밀 1공장 설정. 손으로 쓴 주석은 남아야 한다
version: 1
factory: hanil
agent: edge-1
name: "한일정밀"   # quotes stay
time: {zone: Asia/Seoul}
machines: [{id: press-1}]
uplink: {site: {host: 127.0.0.1}}
"""
DEVICE = (
    HEAD
    + """devices:
  - id: press-plc
    type: modbus
    machine: press-1
    host: 192.168.0.10   # 배전반 안
    groups:
      - id: fast
        every: 500ms
        signals:
          # 전류 계측기
          - {id: current, name: 모터 전류, address: "holding:8", type: float32,  # 두 줄
             unit: A}   # CT 200:5

      # 느린 그룹
      - id: slow
        every: 10s
        signals:
          - id: oil
            address: 300031
            type: int16   # 0.1도
  # 끝
"""
)
ENTRY = {
    "id": "shots",
    "name": "총 타수",
    "address": "holding:20",
    "type": "uint32",
    "unit": "%",
    "eu_range": [0, 1.5],
}


def meant(text: str) -> Any:
    document = parse(text.encode())
    assert not document.problems, text
    return document.root


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def without(after: str, before: str) -> str:
    """Return what was inserted; fails when anything else changed."""
    head = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    size = len(after) - len(before)
    for at in range(head, -1, -1):
        if after[:at] + after[at + size :] == before:
            return after[at : at + size]
    raise AssertionError("more than an insertion")


def test_a_signal_joins_a_group_in_the_style_of_its_neighbours() -> None:
    line = '- {id: shots, name: 총 타수, address: "holding:20", type: uint32, unit: "%", eu_range: [0, 1.5]}'
    after = add_signals(DEVICE, "press-plc", "fast", [ENTRY])
    assert without(after, DEVICE) == f"          {line}\n"
    assert after.index("CT 200:5") < after.index("- {id: shots") < after.index("# 느린 그룹")
    after = add_signals(DEVICE, "press-plc", "slow", [ENTRY])
    assert after.endswith("""            type: int16   # 0.1도
          - id: shots
            name: 총 타수
            address: "holding:20"
            type: uint32
            unit: "%"
            eu_range: [0, 1.5]
  # 끝
""")
    assert comments(after) == comments(DEVICE)
    assert after.index("eu_range") < after.index("# 끝")
    config, problems = read(after.encode())
    assert config is not None, problems
    assert [s.id for s in config.devices[0].sources()[1].signals] == ["oil", "shots"]


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends_and_a_missing_last_one_stay_as_they_are(eol: str, final: bool) -> None:  # noqa: FBT001
    before = DEVICE.removesuffix("  # 끝\n").replace("\n", eol)
    before = before if final else before.removesuffix(eol)
    after = add_signals(before, "press-plc", "slow", [ENTRY])
    assert without(after, before).count(eol) == 6
    assert after.replace("\r\n", "").count("\n") == (0 if eol == "\r\n" else after.count("\n"))
    assert after.endswith(eol) is final
    added = add_device(before, {"id": "meter", "type": "modbus"})
    assert meant(added)["devices"][1] == {"id": "meter", "type": "modbus"}


def test_a_byte_order_mark_stays_in_front() -> None:
    after = add_signals("\ufeff" + DEVICE, "press-plc", "fast", [ENTRY])
    assert after == "\ufeff" + add_signals(DEVICE, "press-plc", "fast", [ENTRY])
    tiny = "\ufeffdevices:\n- id: a\n"
    assert add_device(tiny, {"id": "b"}) == "\ufeffdevices:\n- id: a\n- id: b\n"


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ("", "devices:\n  - {id: b}\n"),
        ("devices:   # noch leer\n", "devices:   # noch leer\n  - {id: b}\n"),
        ("devices: []   # 아직 없음\n", "devices:    # 아직 없음\n  - {id: b}\n"),
        ("devices: ~\n", "devices: \n  - {id: b}\n"),
        ("devices: [\n  # 여기\n]\n", "devices: [{id: b}\n  # 여기\n]\n"),
        ("devices: [{id: a}]\n", "devices: [{id: a}, {id: b}]\n"),
        ("devices: [{id: a},]\n", "devices: [{id: a}, {id: b},]\n"),
        ("devices: [\n  {id: a}  # 첫째\n]\n", "devices: [\n  {id: a},  # 첫째\n  {id: b}\n]\n"),
        ("devices: [\n  {id: a},  # 첫째\n]\n", "devices: [\n  {id: a},  # 첫째\n  {id: b},\n]\n"),
        ("devices: [\n  {id: a}]\n", "devices: [\n  {id: a}, {id: b}]\n"),
        ("devices:\n- id: a\n  name: |\n    두\n    줄\nlast: 1\n",
         "devices:\n- id: a\n  name: |\n    두\n    줄\n- id: b\nlast: 1\n"),
        ("devices: &all # 전체\n  - id: a\nlast: 1\n", "devices: &all # 전체\n  - id: a\n  - id: b\nlast: 1\n"),
    ],
)  # fmt: skip
def test_empty_and_one_line_lists(devices: str, expected: str) -> None:
    assert add_device("version: 1\n" + devices, {"id": "b"}) == "version: 1\n" + expected


def test_a_whole_file_in_braces() -> None:
    assert add_device("{version: 1}", {"id": "b"}) == "{version: 1, devices: [{id: b}]}"
    before = "{devices: [{id: a, groups: [{every: 1s, signals: [{id: x}]}]}]}"
    after = add_signals(before, "a", None, [{"id": "w"}, {"id": "z"}])
    assert after == "{devices: [{id: a, groups: [{every: 1s, signals: [{id: x}, {id: w}, {id: z}]}]}]}"


def test_a_device_is_written_as_a_block_with_a_line_for_each_signal() -> None:
    entry = {
        "id": "meter", "type": "modbus", "host": "10.0.0.5",
        "groups": [{"id": "main", "every": "5s", "signals": [{"id": "kwh", "address": "input:0"}]}],
    }  # fmt: skip
    after = add_device(DEVICE, entry)
    assert (
        after
        == DEVICE.replace("  # 끝\n", "")
        + """  - id: meter
    type: modbus
    host: 10.0.0.5
    groups:
      - id: main
        every: 5s
        signals:
          - {id: kwh, address: "input:0"}
  # 끝
"""
    )


def test_a_group_is_made_only_when_its_pace_is_given() -> None:
    with pytest.raises(Complaint, match="no group new: choose one of fast, slow"):
        add_signals(DEVICE, "press-plc", "new", [ENTRY])
    after = add_signals(DEVICE, "press-plc", "new", [ENTRY], every="2s")
    assert meant(after)["devices"][0]["groups"][2] == {"id": "new", "every": "2s", "signals": [ENTRY]}
    assert comments(after) == comments(DEVICE)
    bare = HEAD + "devices:\n  - id: m\n    extends: meter\n"
    after = add_signals(bare, "m", None, [{"id": "x"}], every="1s")
    assert meant(after)["devices"][0]["groups"] == [{"id": "main", "every": "1s", "signals": [{"id": "x"}]}]


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(Complaint, match="no device pres-plc in this file: write one of press-plc"):
        add_signals(DEVICE, "pres-plc", None, [ENTRY])
    with pytest.raises(Complaint, match="several groups: choose one of fast, slow") as caught:
        add_signals(DEVICE, "press-plc", None, [ENTRY])
    assert "그룹이 여러 개" in caught.value.text.ko
    with pytest.raises(Complaint, match="no signal gone"):
        change_signal(DEVICE, "press-plc", "gone", {"type": "int16"})
    with pytest.raises(Complaint, match="cannot be read"):
        add_device("devices: [", {"id": "b"})
    with pytest.raises(Complaint, match="devices is not a list"):
        add_device("devices: 5\n", {"id": "b"})
    with pytest.raises(Complaint, match="no number"):
        inline(float("nan"))


def test_a_list_that_an_alias_shares_is_left_alone() -> None:
    before = (
        "devices:\n  - id: a\n    groups: [{every: 1s, signals: &s [{id: x}]}]\n"
        "  - id: b\n    groups: [{every: 1s, signals: *s}]\n"
    )
    for device in ("a", "b"):
        with pytest.raises(Complaint, match="edit the file by hand"):
            add_signals(before, device, None, [{"id": "y"}])
    alone = before.replace("signals: *s", "signals: [{id: z, unit: &u A}, {id: w, unit: *u}]")
    after = add_signals(alone, "b", None, [{"id": "v"}])
    assert without(after, alone).strip(", ") == "{id: v}"


def test_keys_of_a_signal_are_set_where_it_stands() -> None:
    after = change_signal(DEVICE, "press-plc", "current", {"type": "int32", "word_order": "CDAB"})
    assert after == DEVICE.replace("type: float32", "type: int32").replace("unit: A}", "unit: A, word_order: CDAB}")
    after = change_signal(DEVICE, "press-plc", "oil", {"address": "holding:30", "scale": 0.1})
    assert after == DEVICE.replace("address: 300031", 'address: "holding:30"').replace(
        "type: int16   # 0.1도\n", "type: int16   # 0.1도\n            scale: 0.1\n"
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    TEXTS, st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
    st.sampled_from(["no", "08:00", "2026-12-24", "0102", "ns=2;s=온도", "- x", "a: b", "x #y", "%", "1e5", ""]),
    st.none(),
)  # fmt: skip
ENTRIES = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "name", "unit", "labels-x", "range"]),
        st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from("ab"), SCALARS)),
        min_size=1, max_size=4,
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> tuple[str, int]:
    """Return a file with one device and group in a layout that a person might choose, and its count of signals."""
    note = st.sampled_from(["", "  # 메모", " # {not: [yaml"])
    step = draw(st.sampled_from([0, 2, 4]))
    count = draw(st.integers(0, 3))
    flow = draw(st.booleans())
    lines = ["# 처음", "version: 1" + draw(note), "devices:" + draw(note)]
    pad = " " * step
    lines += [f"{pad}- id: d" + draw(note), f"{pad}  groups:" + draw(note), f"{pad}  - every: 1s" + draw(note)]
    deep = pad + "    "
    if count == 0:
        lines.append(
            deep + draw(st.sampled_from(["signals: []", "signals:", "signals: null", "every2: 1"])) + draw(note)
        )
    elif flow and draw(st.booleans()):
        trail = draw(st.sampled_from(["", ","]))
        sep = draw(st.sampled_from([", ", "," + draw(note) + "\n" + deep + "   "]))
        close = draw(st.sampled_from(["]", "\n" + deep + " ]"]))
        items = sep.join(f"{{id: s{i}, unit: '°C'}}" for i in range(count))
        lines.append(deep + "signals: [" + items + trail + close + draw(note))
    else:
        lines.append(deep + "signals:" + draw(note))
        inner = deep + draw(st.sampled_from(["", "  "]))
        for i in range(count):
            unit = draw(st.sampled_from(["", " A", " [1,\n" + inner + "     2]"]))
            block = [inner + f"- id: s{i}" + draw(note), inner + "  unit:" + unit]
            lines += [inner + f"- {{id: s{i}}}" + draw(note)] if flow else block
            lines += draw(st.sampled_from([[], [""], [inner + "# 다음"]]))
    lines += draw(st.sampled_from([[], ["# 끝"], ["last: 1"], [pad + "- id: e", "", "# 끝"]]))
    text = draw(st.sampled_from(["\n", "\r\n"])).join("\n".join(lines).split("\n"))
    return text + draw(st.sampled_from(["", "\n"])), count


@given(files(), ENTRIES)
@settings(max_examples=300, deadline=None)
def test_what_is_read_afterwards_is_what_was_there_and_the_entries(
    file: tuple[str, int], entries: list[dict[str, Any]]
) -> None:
    before, count = file
    after = add_signals(before, "d", None, entries)
    root = meant(before)
    group = root["devices"][0]["groups"][0]
    group["signals"] = [*(group.get("signals") or []), *entries]
    assert repr(meant(after)) == repr(root)
    assert len(meant(after)["devices"][0]["groups"][0]["signals"]) == count + len(entries)
    kept = [line.split("#", 1)[1].rstrip("\r") for line in before.split("\n") if "#" in line]
    assert [c for c in kept if f"#{c}" not in after] == []
    again = add_device(after, entries[0])
    assert (
        meant(again)["devices"][-1] == meant(after)["devices"][-1]
        or len(meant(again)["devices"]) == len(root["devices"]) + 1
    )

"""Device profiles: what they put into a file, what is said about mistakes in them, and where."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.library import Folders
from agent.config.load import load, read
from agent.config.profiles import BYTES_LIMIT, complete
from agent.errors import ConfigError
from settings.document import parse
from settings.load import line
from tests.agent.config.test_model import SMALL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.config.model import AgentConfig

METER = """\
profile: 1
name: Acme meter
source: [Acme manual 12]
unsure: [registers of phase 2]
device:
  type: modbus
  word_order: CDAB
  budget: {requests_per_second: 20, busy: 0.5}
  groups:
    - id: fast
      every: 1s
      signals:
        - {id: current, address: "holding:8", type: float32, unit: A}
        - {id: voltage, address: "holding:10", type: float32, unit: V, unsure: no example}
    - id: slow
      every: 10s
      signals:
        - {id: energy, address: "holding:20", type: float64, unit: kWh}
      alarms:
        - {id: al, address: "holding:40", bits: {0: hot, 1: cold}}
"""
ONE = "- {id: a, machine: press-1, host: 10.0.0.1, extends: acme/meter}\n"
OTHER = "- {id: b, machine: press-1, host: 10.0.0.2, extends: acme/meter}\n"


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "devices" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def loaded(folder: Path, devices: str, **files: str) -> AgentConfig:
    config, problems = read(
        (SMALL + "devices:\n" + devices).encode(), written(folder, {"acme/meter": METER} | files)
    )
    assert problems == []
    assert config is not None
    return config


def said(folder: Path, devices: str, **files: str) -> list[str]:
    """Return what is wrong, with lines counted from `devices:` on."""
    text = SMALL + "devices:\n" + devices
    _, problems = read(text.encode(), written(folder, {"acme/meter": METER} | files))
    return [line(problem, "f", "en").replace(f"{folder}/devices/", "") for problem in problems]


BEFORE = len(SMALL.splitlines()) + 1
"""Lines before the first device."""


def test_ten_machines_are_ten_short_entries(tmp_path: Path) -> None:
    machines = ", ".join(f"{{id: m{i}}}" for i in range(10))
    text = re.sub(r"machines: \[.*\]", f"machines: [{machines}]", SMALL)
    text += "devices:\n" + "".join(
        f"- {{id: d{i}, machine: m{i}, host: 10.0.0.{i + 1}, extends: acme/meter}}\n" for i in range(10)
    )
    config, problems = read(text.encode(), written(tmp_path, {"acme/meter": METER}))
    assert problems == []
    assert config is not None
    assert len(config.devices) == 10
    for number, device in enumerate(config.devices):
        assert (device.extends, device.unsure) == ("acme/meter", ("registers of phase 2",))
        assert [source.id for source in device.sources()] == [f"d{number}.fast", f"d{number}.slow"]
        signals = [signal for source in device.sources() for signal in source.signals]
        assert [signal.id for signal in signals] == ["current", "voltage", "energy", "al-0", "al-1"]
        assert {signal.machine for signal in signals} == {f"m{number}"}
        assert {signal.found for signal in signals} == {"profile"}


def test_an_entry_changes_drops_and_adds(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """\
- id: a
  machine: press-1
  host: 10.0.0.1
  extends: acme/meter
  budget: {busy: 0.2}
  groups:
  - id: fast
    every: 5s
    drop: [voltage]
    signals:
    - {id: current, role: pv, address: "holding:108"}
    - {id: relay, address: "holding:7", type: uint16}
  - id: slow
    drop: [al-0]
    alarms:
    - {id: al, bits: {1: {text: freezing, priority: high}, 5: wet}}
  - {id: more, every: 1m, signals: [{id: x, address: "coil:0", type: bool}]}
""",
    )
    (device,) = config.devices
    assert (device.budget.requests_per_second, device.budget.busy) == (20, 0.2)
    fast, slow, more = device.sources()
    assert (fast.interval_ns, slow.interval_ns, more.interval_ns) == (5 * 10**9, 10**10, 60 * 10**9)
    assert [(s.id, s.found, s.role) for s in fast.signals] == [
        ("current", "manual", "pv"),
        ("relay", "manual", None),
    ]
    assert [(s.id, s.name) for s in slow.signals] == [("energy", "energy"), ("al-1", "freezing"), ("al-5", "wet")]
    assert fast.signals[0].unit == "A"
    assert [s.id for s in more.signals] == ["x"]


def test_a_group_is_dropped_as_a_whole(tmp_path: Path) -> None:
    config = loaded(tmp_path, ONE.replace("extends", "drop: [slow], extends"))
    assert [source.id for source in config.sources()] == ["a.fast"]


def test_a_profile_extends_a_profile(tmp_path: Path) -> None:
    child = """\
profile: 1
name: Acme meter, newer
source: [Acme manual 13]
unsure: [the energy register]
extends: acme/meter
device:
  timeout: 700ms
  groups:
  - {id: fast, drop: [voltage]}
"""
    config = loaded(tmp_path, ONE.replace("acme/meter", "acme/newer"), **{"acme/newer": child})
    (device,) = config.devices
    assert device.unsure == ("registers of phase 2", "the energy register")
    assert [s.id for s in device.sources()[0].signals] == ["current"]
    assert device.model_dump()["timeout"] == 700_000_000


@pytest.mark.parametrize(
    ("devices", "files", "expected"),
    [
        (
            ONE.replace("meter", "mter"),
            {},
            [f"f:{BEFORE + 1}: devices[a].extends: no profile acme/mter; did you mean acme/meter?"],
        ),
        (
            ONE.replace("acme/meter", "../meter"),
            {},
            [f"f:{BEFORE + 1}: devices[a].extends: write the profile's name as `folder/name`, in small letters"],
        ),
        (
            ONE,
            {"acme/meter": METER.replace("float32, unit: A", "flaot32, unit: A")},
            ["acme/meter.yaml:13: devices[a].groups[fast].signals[current].type: flaot32 is unknown here; did you"],
        ),
        (
            ONE,
            {"acme/meter": METER.replace("source:", "sorce:")},
            [f"acme/meter.yaml:3: sorce: unknown key; did you mean source? (extends in f:{BEFORE + 1})"],
        ),
        (
            ONE,
            {"acme/meter": METER.replace("device:\n", "device:\n  id: x\n")},
            [f"acme/meter.yaml:6: device.id: remove id: each device writes its own (extends in f:{BEFORE + 1})"],
        ),
        (ONE, {"acme/meter": "[]"}, [f"acme/meter.yaml:1: write `profile: 1` first (extends in f:{BEFORE + 1})"]),
        (
            ONE,
            {"acme/meter": METER + "  type: opcua\n"},
            [f"acme/meter.yaml:21: type is written twice (first in line 6): keep one (extends in f:{BEFORE + 1})"],
        ),
        (
            ONE,
            {"acme/meter": METER.replace("device:", "extends: acme/meter\ndevice:")},
            [f"f:{BEFORE + 1}: devices[a].extends: profiles extend one another 4 times at most, never in a circle"],
        ),
        (
            ONE,
            {"acme/meter": METER.replace("device:", "extends: nobody\ndevice:")},
            [f"f:{BEFORE + 1}: devices[a].extends: no profile nobody; there are: "],
        ),
        (
            ONE.replace("extends", "drop: [slwo, nothing], extends"),
            {},
            [f"f:{BEFORE + 1}: devices[a].drop[#1]: the profile has no slwo; did you mean slow?",
             f"f:{BEFORE + 1}: devices[a].drop[#2]: the profile has no nothing; there are: fast, slow"],
        ),
        (
            ONE.replace("extends", "drop: slow, extends"),
            {},
            [f"f:{BEFORE + 1}: devices[a].drop: write a list of ids: [a, b]"],
        ),
        (
            ONE + ONE.replace("id: a", "id: b").replace("10.0.0.1", "10.0.0.2").replace("acme/meter", "acme/small"),
            {"acme/small": METER[: METER.index("    - id: slow")]},
            [
                f"acme/small.yaml:{n}: devices[b].groups[fast].signals[{s}].id: machine press-1 already has a "
                f"signal {s} in line {n} of acme/meter.yaml: ids must differ (extends in f:{BEFORE + 2})"
                for n, s in ((13, "current"), (14, "voltage"))
            ],
        ),
        (
            ONE,
            {"acme/meter": METER + "#" * BYTES_LIMIT},
            [f"acme/meter.yaml:1: a profile has 500 kB at most (extends in f:{BEFORE + 1})"],
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_said_where_it_was_made(
    tmp_path: Path, devices: str, files: dict[str, str], expected: list[str]
) -> None:
    found = said(tmp_path, devices, **files)
    assert [text[: len(e)] for text, e in zip(found, expected, strict=True)] == expected


def test_profiles_that_copy_too_much_are_refused(tmp_path: Path) -> None:
    leaf = "&a [1,1,1,1,1,1,1,1,1,1]"
    for name, inner in zip("bcde", "abcd", strict=True):
        leaf += f", &{name} [" + ", ".join([f"*{inner}"] * 10) + "]"
    (text,) = said(
        tmp_path,
        ONE,
        **{"acme/meter": f"profile: 1\nname: x\nsource: [x]\ndevice: {{x: [{leaf}, *e, *e, *e, *e]}}\n"},
    )
    assert "more than 500,000 values" in text


def test_a_profile_of_ten_devices_is_complained_about_once(tmp_path: Path) -> None:
    wrong = METER.replace("float32, unit: A", "flaot32, unit: A")
    found = said(tmp_path, ONE + OTHER, **{"acme/meter": wrong})
    assert sum("flaot32" in text for text in found) == 1


def test_a_link_leads_out_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(METER, "utf-8")
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    assert Folders(tmp_path).read("link") is None
    for name in ("../outside", "/etc/passwd", "a/../../outside", "a//b", "", ".", "A", "a.yaml", "a\n"):
        assert Folders(tmp_path).read(name) is None


def test_the_file_loads_with_the_folder_beside_it(tmp_path: Path) -> None:
    file = written(tmp_path, {"acme/meter": METER}) / "agent.yaml"
    file.write_text(SMALL + "devices:\n" + ONE, "utf-8")
    assert len(load(file).sources()) == 2
    (tmp_path / "devices" / "acme" / "meter.yaml").unlink()
    with pytest.raises(ConfigError, match="no profile acme/meter"):
        load(file, "en")


def test_what_stands_beside_the_file_goes_before_what_is_shipped(tmp_path: Path) -> None:
    name = Folders(None).names()[0]
    assert name in Folders(tmp_path).names()
    written(tmp_path, {name: METER})
    found = Folders(tmp_path).read(name)
    assert found == (str(tmp_path / "devices" / f"{name}.yaml"), METER.encode())


PIECES = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["fast", "slow", "al", "x", "main", "1s"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "groups", "signals", "alarms", "bits", "drop", "address", "type", "0", "unsure"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


class _Two:
    """A library of one profile."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def names(self) -> list[str]:
        return ["p"]

    def read(self, name: str) -> tuple[str, bytes] | None:
        return ("p.yaml", self.raw) if name == "p" else None


@given(PIECES, PIECES)
def test_any_shapes_are_merged_or_refused(profile: object, entry: object) -> None:

    head = {"profile": 1, "name": "x", "source": ["x"], "device": profile}
    mine = {**(entry if isinstance(entry, dict) else {}), "extends": "p"}
    root = parse(json.dumps({"devices": [mine]}).encode()).root
    problems, silent = complete(root, _Two(json.dumps(head).encode()))
    assert bool(silent) <= bool(problems)
    for problem in problems:
        assert problem.text.ko
        assert problem.line >= 1

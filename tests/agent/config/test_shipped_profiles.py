"""The profiles that are shipped: right, with their sources, installed, and told of in the docs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from agent.config.library import Folders, shipped
from agent.config.load import read
from agent.config.profiles import Profile
from settings.document import parse
from tests.agent.config.test_model import SMALL

ROOT = Path(__file__).parents[3]
NAMES = Folders(None).names()
OURS = "- {id: own, every: 1s, signals: [{id: own, address: D00001, type: int16}]}"


def entry(name: str, groups: str = "") -> str:
    """Return the shortest entry that extends a profile."""
    opcua = "opcua" in name
    lines = [f"- id: d\n  machine: press-1\n  extends: {name}"]
    lines.append("  endpoint: opc.tcp://10.0.0.1:4840\n  security: None" if opcua else "  host: 10.0.0.1")
    if name.startswith("ls/xg") and name.endswith("modbus"):
        lines.append(f"  ls_map: {{word_read: D00000}}\n  groups:\n  {OURS}")
    if groups:
        lines.append(f"  groups:\n{groups}")
    return SMALL + "devices:\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_short_entry_is_all_that_a_machine_needs(name: str) -> None:
    config, problems = read(entry(name).encode())
    assert problems == []
    assert config is not None
    (device,) = config.devices
    assert device.extends == name
    signals = [signal for source in device.sources() for signal in source.signals if signal.id != "own"]
    assert signals or name.startswith("ls/xg")
    assert {signal.found for signal in signals} <= {"profile"}
    assert all(signal.name != signal.id for signal in signals), "a profile names its signals"
    assert len({signal.id for signal in signals}) == len(signals)


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_where_its_facts_come_from(name: str) -> None:
    found = Folders(None).read(name)
    assert found is not None
    head = Profile.model_validate(parse(found[1]).root)
    for source in head.source:
        assert any(mark in source for mark in (".com", ".org", "easymanua.ls", "OPC 10000", "issue", "/")), source
    if head.device.get("type") == "modbus" or name.startswith(("siemens", "opcua/e", "opcua/m")):
        assert head.unsure, "nobody has tried it on every device: say what the documents leave open"


def test_the_issue_s_devices_are_there() -> None:
    assert {
        "ls/xgb-modbus", "ls/xgk-modbus", "ls/is7", "ls/s100", "eastron/sdm630", "schneider/iem3000",
        "siemens/s7-1200-opcua", "siemens/s7-1500-opcua", "opcua/euromap77", "opcua/machine-tool",
    } <= set(NAMES)  # fmt: skip


def test_the_page_on_profiles_names_each() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []


def test_each_is_installed_where_it_is_looked_for() -> None:
    files = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["data-files"]
    installed = set()
    for target, patterns in files.items():
        for pattern in patterns:
            for path in ROOT.glob(pattern):
                installed.add(f"{target}/{path.name}")
    assert shipped() == ROOT / "config" / "devices"
    assert {f"share/techsquare-edge/devices/{name}.yaml" for name in NAMES} <= installed


def test_registers_of_a_schneider_manual_are_one_more_than_on_the_wire() -> None:
    config, _ = read(entry("schneider/iem3000").encode())
    assert config is not None
    addresses = config.addresses()
    assert addresses["press-1", "energy-import"] == "holding:3203 (403204)"
    assert addresses["press-1", "voltage-l1"] == "holding:3027 (403028)"


def test_a_signal_that_each_maker_addresses_anew_needs_its_node_only() -> None:
    node = "nsu=http://maker.example/;i=6043"
    groups = f"  - {{id: job, signals: [{{id: parts-good, node: '{node}'}}, {{id: job-status, node: i=7}}]}}"
    config, problems = read(entry("opcua/euromap77", groups).encode())
    assert problems == []
    assert config is not None
    server, job = config.devices[0].sources()
    assert [signal.id for signal in server.signals] == ["server-state", "server-start", "server-software"]
    assert [signal.id for signal in job.signals] == ["job-status", "parts-good"]
    assert (job.signals[1].role, job.signals[1].found) == ("count_good", "manual")
    assert dict(job.signals[0].labels)[6] == "in production"

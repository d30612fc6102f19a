"""`check` says what came from which profile, and what nobody has confirmed."""

from __future__ import annotations

from agent.cli.origins import origins
from agent.config.load import read
from tests.agent.config.test_model import SMALL

DEVICES = """devices:
- {id: inverter, machine: press-1, host: 10.0.0.1, extends: ls/s100, groups: [{id: run, signals: [
    {id: fan, address: "holding:99", type: uint16, unsure: the manual is in Chinese}]}]}
- {id: plc, machine: press-1, type: modbus, host: 10.0.0.2, groups: [{every: 1s, signals: [
    {id: a, address: "holding:0", type: uint16, unsure: off by one?}]}]}
- {id: quiet, machine: press-1, type: modbus, host: 10.0.0.3, groups: [{every: 1s, signals: [
    {id: b, address: "holding:0", type: uint16}]}]}
"""


def test_profiles_and_doubts_are_told_by_device() -> None:
    config, problems = read((SMALL + DEVICES).encode())
    assert problems == []
    assert config is not None
    english, korean = ([*origins(config, "en")], [*origins(config, "ko")])
    assert english[0] == "inverter: profile ls/s100: 11 signals from it, 1 written here"
    assert korean[0] == "inverter: 프로파일 ls/s100: 프로파일 태그 11개, 직접 쓴 태그 1개"
    doubts = english[1:-1]
    assert all(line.startswith("  not confirmed: ") for line in doubts)
    assert "  not confirmed: trip-word: the meaning of each bit differs between series" in doubts
    assert "  not confirmed: fan: the manual is in Chinese" in doubts
    assert any("whether common address 000A" in line for line in doubts), "of the profile that the profile extends"
    assert english[-1] == "plc: not confirmed: a: off by one?"
    assert korean[-1] == "plc: 미확인: a: off by one?"
    assert len(korean) == len(english)

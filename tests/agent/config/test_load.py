"""From a path to a configuration."""

from __future__ import annotations

import pytest

from agent.config.checks import check
from agent.config.load import read
from settings.document import parse
from tests.agent.config.test_model import EXAMPLE, SMALL


def test_five_thousand_signals_load_and_each_wrong_one_is_named() -> None:
    devices = ["devices:"]
    for d in range(50):
        devices.append(
            f"- {{id: d{d}, type: modbus, machine: press-1, host: 10.0.0.{d + 1}, groups: [{{every: 1s, signals:"
        )
        devices += [
            f"    {'[' if s == 0 else ','} {{id: s{d}-{s}, address: 'holding:{2 * s}', type: float32, unit: A}}"
            for s in range(100)
        ]
        devices.append("    ]}]}")
    text = SMALL + "\n".join(devices)
    config, problems = read(text.encode())
    assert problems == []
    assert config is not None
    assert sum(len(source.signals) for source in config.sources()) == 5000
    _, problems = read(text.replace("float32", "flaot32").encode())
    assert len(problems) == 5000
    assert {p.line for p in problems} == {
        number for number, line in enumerate(text.splitlines(), 1) if "float32" in line
    }


def test_crlf_and_a_byte_order_mark_from_windows_change_nothing() -> None:
    text = EXAMPLE.read_text("utf-8")
    plain, _ = read(text.encode())
    windows, problems = read(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert problems == []
    assert windows == plain


@pytest.mark.parametrize(
    "text",
    [
        "machines: 1", "machines: [1, {}, {id: 3}]", "devices: [{groups: 1}, {groups: [1, {signals: x}]}]",
        "schedule: {planned: {a: b}}", "schedule: 1", "devices: [{machine: [a], groups: [{signals: [{}]}]}]",
    ],
)  # fmt: skip
def test_checks_across_sections_leave_wrong_shapes_to_the_models(text: str) -> None:
    assert list(check(parse(text.encode()).root)) == []

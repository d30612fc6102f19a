"""The owner's word: taken up at once, never wider than he wrote, and never forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.platform.consent import AT_HOME, BY_DEFAULT, HISTORY, KEPT, Agreed, date_at
from agent.platform.cut import cut
from contract.codec import PLAIN_LIMIT, encode
from contract.consent import NEEDS, SCOPES, Consent, Given, Scope, allows
from contract.report import Contradiction, Report, Trend
from tests.golden import MORE

if TYPE_CHECKING:
    from pathlib import Path

TODAY = ["2026-11-22"]


def agreed(folder: Path, *, home: bool = False, file: bool = True) -> Agreed:
    return Agreed(folder / "consent.yaml" if file else None, folder, lambda: 7, lambda: TODAY[0], home=home)


def write(folder: Path, text: str) -> None:
    (folder / "consent.yaml").write_text(text)


def test_without_a_word_the_platform_sees_the_report_and_the_house_everything(tmp_path: Path) -> None:
    assert agreed(tmp_path, file=False).scopes == set(BY_DEFAULT)
    assert agreed(tmp_path / "..", file=False, home=True).scopes == set(AT_HOME)
    assert "raw_hosted" not in AT_HOME


@pytest.mark.parametrize("home", [False, True])
def test_a_file_counts_everywhere_and_is_taken_up_and_kept(tmp_path: Path, home: bool) -> None:  # noqa: FBT001
    write(tmp_path, "version: 1\nserial: 1\nscopes: [days, levels]\n")
    one = agreed(tmp_path, home=home)
    assert one.scopes == {"levels", "days"}
    assert not one.look()
    write(tmp_path, "version: 1\nserial: 2\nscopes: []\n")
    assert one.look()
    assert one.scopes == set()
    again = agreed(tmp_path, home=home)
    assert again.answer() == one.answer()
    history = msgspec.json.decode(again.answer(), type=Consent).history
    assert [(given.serial, set(given.scopes)) for given in history] == [(1, {"days", "levels"}), (2, set())]


def test_what_held_under_another_configuration_holds_no_more(tmp_path: Path) -> None:
    assert agreed(tmp_path, file=False, home=True).scopes == set(AT_HOME)
    one = agreed(tmp_path, file=False)  # now a platform has a broker of its own, and nobody has said anything
    assert one.scopes == set(BY_DEFAULT)
    write(tmp_path, "version: 1\nserial: 1\nscopes: [days, machines]\n")
    assert agreed(tmp_path).scopes == {"days", "machines"}
    silent = agreed(tmp_path, file=False)  # the line with the file's name is gone
    assert silent.scopes == set(BY_DEFAULT)
    again = agreed(tmp_path, file=False)
    assert not again.look()
    assert again.entries == silent.entries == 4, "the same once more is no news"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: 1",
        "version: 1\nserial: 2\nscopes: [everything]\n",
        "version: 1\nserial: 2\nscopes: [days\n",
        "\0",
    ],
)
def test_a_file_that_cannot_be_read_agrees_to_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, "version: 1\nserial: 1\nscopes: [days]\n")
    one = agreed(tmp_path)
    write(tmp_path, text)
    assert one.look()
    assert one.scopes == set()
    (tmp_path / "consent.yaml").unlink()
    one.look()
    assert one.scopes == set()


def test_what_is_agreed_ends_on_its_day(tmp_path: Path) -> None:
    write(tmp_path, "version: 1\nserial: 1\nscopes: [days]\nuntil: '2026-11-23'\n")
    one = agreed(tmp_path)
    assert one.scopes == {"days"}
    TODAY[0] = "2026-11-23"
    try:
        assert one.scopes == set()
        assert not one.look()
    finally:
        TODAY[0] = "2026-11-22"


def test_the_date_is_that_of_the_site_and_never_goes_back() -> None:
    night = 1_795_186_800 * 10**9  # 2026-11-20T15:00Z: midnight in Seoul, eight hours before its production day
    assert date_at("Asia/Seoul", night) == "2026-11-21"
    assert date_at("Asia/Seoul", night - 1) == "2026-11-20"
    assert date_at("Asia/Seoul", 0) == "1970-01-01"
    assert date_at("Asia/Seoul", 0, "2026-11-19") == "2026-11-19", "a box without a battery, behind a signed day"


def test_a_torn_line_is_passed_over_and_stays(tmp_path: Path) -> None:
    write(tmp_path, "version: 1\nserial: 1\nscopes: [days]\n")
    agreed(tmp_path)
    torn = (tmp_path / HISTORY).read_bytes() + b'{"since": "8", "sc'
    (tmp_path / HISTORY).write_bytes(torn)
    write(tmp_path, "version: 1\nserial: 3\nscopes: [fit]\n")
    assert agreed(tmp_path).entries == 2
    assert (tmp_path / HISTORY).read_bytes().startswith(torn)
    assert agreed(tmp_path).entries == 2


def test_a_verb_is_answered_under_its_scope_only() -> None:
    for verb, needed in NEEDS.items():
        for scope in SCOPES:
            assert allows(verb, frozenset({scope})) == (not needed or scope in needed)
        assert allows(verb, frozenset()) == (not needed)


@given(st.sets(st.sampled_from(SCOPES)))
def test_a_report_shows_what_the_scopes_say(scopes: set[Scope]) -> None:
    whole = MORE["readiness.levels"][1]
    assert isinstance(whole, Report)
    claims = [Contradiction("claim", "V03", "0.9", "0.62", "2026-11-20", m) for m in ("press", None)]
    trend = Trend("2026-09-01", "2026-09-28", 1, [], added=["press"], gone=["press"])
    whole = replace(whole, contradictions=claims, trend=trend)
    part = cut(whole, frozenset(scopes))
    if not scopes & {"levels", "indicators"}:
        assert part is None
        return
    assert part is not None
    assert bool(part.values or part.dimensions or part.index) == ("indicators" in scopes)
    assert bool(part.level or part.machines or part.missing or part.settle or part.chances or part.cascade) == (
        "levels" in scopes
    )
    assert bool(part.siri) == ({"levels", "indicators"} <= scopes)
    assert {(c.said, c.seen) for c in part.contradictions if c.machine} <= {("", "")} or "machines" in scopes
    if not scopes & {"levels", "machines", "fit"}:
        assert b'"press"' not in encode(part)  # nothing names a machine
    else:
        assert bool([c for c in part.contradictions if c.machine]) == ("indicators" in scopes)
    if {"levels", "indicators", "machines"} <= scopes:
        assert part == whole
    elif {"levels", "indicators"} <= scopes:
        assert replace(part, contradictions=[]) == replace(whole, contradictions=[])
        told = [(c.code, c.subject, c.machine, c.when) for c in whole.contradictions]
        assert [(c.code, c.subject, c.machine, c.when) for c in part.contradictions] == told


def test_a_history_without_end_is_cut_to_the_latest_entries(tmp_path: Path) -> None:
    lines = [encode(Given(str(number), ["levels"], number)) for number in range(1, 2 * KEPT + 3)]
    (tmp_path / HISTORY).write_bytes(b"\n".join(lines) + b"\n")
    write(tmp_path, f"version: 1\nserial: {2 * KEPT + 2}\nscopes: [levels]\n")
    agreed = Agreed(tmp_path / "consent.yaml", tmp_path, lambda: 9, lambda: "2026-11-20", home=True)
    assert agreed.entries == KEPT
    kept = (tmp_path / HISTORY).read_bytes().splitlines()
    assert kept == lines[-KEPT:]
    assert len(agreed.answer()) < PLAIN_LIMIT

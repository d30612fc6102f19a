"""`techsquare verify` on files: the engine's verdict, and every mistake named with file, line and what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from techsquare.cli import main
from techsquare.cli.plan_file import read_days, read_plan
from techsquare.services.plain import plain
from techsquare.verdict import told
from techsquare.verdict.plan import digest
from techsquare.verdict.promise import promise
from tests.techsquare.verdict.shop import noise, plan_of, series_of

if TYPE_CHECKING:
    from techsquare.verdict.terms import Plan, Series

CONTROLS = [f"c{n}" for n in range(6)]


def shop(gain: float = 12.0) -> tuple[Plan, list[Series]]:
    """A plan with days of its machines, uneven and some of them lost."""
    plan, rng = plan_of(CONTROLS, "site", 50), np.random.default_rng(4)
    values = 60 + noise(rng, 0.3, (7, 200), 2.0)
    values[0, 79:] += gain
    names = ("t", *CONTROLS)
    return plan, [
        series_of(row, name, rng=rng, lost=0.05, idle=0.1) for row, name in zip(values, names, strict=True)
    ]


def written(folder: Path, plan: Plan, series: list[Series], **changed: Any) -> list[str]:
    """Write plan and days as files; return the words that name them."""
    said: dict[str, Any] = {
        "schema": "techsquare-plan/1", "project": plan.project, "metric": plan.metric, "unit": plan.unit,
        "better": "higher", "treated": [{"machine": "t", "site": "home"}],
        "controls": [{"machine": name, "site": "home"} for name in CONTROLS], "applied": plain(plan.applied),
        "frozen": plain(plan.frozen),
        "baseline": {"first": plain(plan.baseline[0]), "last": plain(plan.baseline[1])},
        "installed": plain(plan.installed), "verdict_on": plain(plan.verdict_on),
        "extended_to": plain(plan.extended_to), "least": plan.least, "hash": plan.hash,
    }  # fmt: skip
    (folder / "plan.json").write_text(json.dumps(said | changed))
    rows = [
        f"{one.machine},{day},{num!r},{den!r},{coverage!r}"
        for one in series
        for day, num, den, coverage in zip(
            one.days, one.num.tolist(), one.den.tolist(), one.coverage.tolist(), strict=True
        )
    ]
    rows = [rows[i] for i in np.random.default_rng(1).permutation(len(rows)).tolist()]
    for name, part in (("a.csv", rows[::2]), ("b.csv", rows[1::2])):
        (folder / name).write_text("\n".join(["machine,day,num,den,coverage", *part]) + "\n", "utf-8-sig")
    files = [str(folder / name) for name in ("plan.json", "a.csv", "b.csv")]
    return ["verify", "--plan", files[0], "--days", *files[1:]]


def test_files_give_the_engines_verdict_and_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, series = shop()
    words = written(tmp_path, plan, series)
    expected = told.verdict(plan, series)
    assert expected.word == "improved"
    assert main([*words, "--on", plain(plan.verdict_on), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == plain(expected)
    assert main([*words, "--on", plain(plan.extended_to)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("look 1: improved; +1")
    assert f"plan {plan.hash}" in out
    assert main([*words, "--promise", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == plain(promise(plan, series)) | {"plan": plan.hash}


def test_what_decides_nothing_is_looked_at_once_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, series = shop(gain=1.2)
    words = written(tmp_path, plan, series)
    assert main([*words, "--on", plain(plan.verdict_on)]) == 0
    assert f"the extension's day is {plan.extended_to}" in capsys.readouterr().out
    assert main([*words, "--on", plain(plan.extended_to), "--json"]) == 0
    looks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["look"] for one in looks] == [1, 2]
    first = told.verdict(plan, series)
    assert looks == [plain(first), plain(told.verdict(plan, series, first))]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema": "x"}, "schema"),
        ({"least": 0}, "say what change is worth it"),
        ({"least": 3.0}, "was changed after its hash was made"),
        ({"unknown": 1}, "unknown"),
        ({"treated": [{"machine": "t", "site": "home"}, {"machine": "u", "site": "far"}]}, "stand on one site"),
        ({"controls": [{"machine": "c0", "site": "home"}, {"machine": "c1", "site": "far"}]}, "leave out"),
        ({"controls": [{"machine": "c0", "site": "home"}] * 2}, "a machine stands twice"),
    ],
)
def test_a_wrong_plan_is_named(
    change: dict[str, Any], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(written(tmp_path, *shop(), **change)) == 78
    said = capsys.readouterr().err
    assert said.startswith(f"techsquare: {tmp_path / 'plan.json'}: ")
    assert text in said


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("t,2026-03-02,1,2,1", "stands in"),
        ("t,2.3.2026,1,2,1", "'2.3.2026' is no day: write it as 2026-05-01"),
        ("t,2027-03-02,1,2", "4 columns where there are 5"),
        ("t,2027-03-02,x,2,1", "num 'x' is no number"),
        ("t,2027-03-02,1,-2,1", "den is 0 or more"),
        ("t,2027-03-02,1,nan,1", "finite"),
        ("t,2027-03-02,1,2,80", "a share from 0 to 1, not 80"),
    ],
)
def test_a_wrong_line_is_named(line: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = written(tmp_path, *shop())
    with (tmp_path / "b.csv").open("a") as file:
        file.write(f"{line}\n")
    count = len((tmp_path / "b.csv").read_text("utf-8-sig").splitlines())
    assert main(words) == 78
    said = capsys.readouterr().err
    assert said.startswith(f"techsquare: {tmp_path / 'b.csv'}, line {count}: ")
    assert text in said


def test_what_is_missing_or_too_early_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, series = shop()
    words = written(tmp_path, plan, series)
    assert main([*words, "--on", plain(plan.verdict_on - timedelta(days=1))]) == 1
    assert f"its verdict's day is {plan.verdict_on}" in capsys.readouterr().err
    assert main([*words[:3], "--days", str(tmp_path / "no.csv")]) == 78
    assert "no.csv: cannot be read" in capsys.readouterr().err
    (tmp_path / "b.csv").write_text("day;machine\n")
    assert main(words) == 78
    assert "b.csv, line 1: write machine,day,num,den,coverage" in capsys.readouterr().err
    (tmp_path / "b.csv").write_bytes(b"machine,day,num,den,coverage\n\xbc\xb3,2026-01-01,1,1,1\n")
    assert main(words) == 78
    assert "UTF-8" in capsys.readouterr().err
    words = written(tmp_path, plan, series[1:])
    assert main([*words, "--on", plain(plan.verdict_on)]) == 78
    assert "no day of its machine 't'" in capsys.readouterr().err
    capsys.readouterr()
    assert main(["verify", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(schema["required"]) >= {"schema", "project", "treated", "baseline", "verdict_on"}
    for wrong in (["verify", "--promise"], ["verify", "x", "--plan", "y"], ["verify", "--plan", "y"]):
        with pytest.raises(SystemExit, match="2"):
            main(wrong)


def test_a_plan_without_its_hash_gets_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, series = shop()
    words = written(tmp_path, plan, series, hash=None)
    assert main([*words, "--on", plain(plan.verdict_on)]) == 0
    assert f"plan {digest(plan)}" in capsys.readouterr().out


def test_the_documents_example_is_a_plan_that_can_be_frozen(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "verify.md").read_text("utf-8")
    said, days = (part.partition("```")[0] for part in (text.split("```json")[1], text.split("```csv\n")[1]))
    (tmp_path / "plan.json").write_text(said)
    (tmp_path / "days.csv").write_text(days)
    plan, sites, _ = read_plan(tmp_path / "plan.json")
    assert (plan.over, len(sites)) == ("site", 6)
    assert [len(one.days) for one in read_days([tmp_path / "days.csv"], sites)] == [1, 1]

"""`techsquare roadmap`: the plan of a file or of the database, as an owner and as a program reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from techsquare.catalogue.load import load
from techsquare.cli import main
from techsquare.cli.told import Teller
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.store import Registry, add
from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.terms import ORDER
from techsquare.services import catalogue as catalogues
from techsquare.services.days import day_of
from tests.techsquare.api.test_compute import roadmap_problem, sent

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_500_000 * 10**9


def written(path: Path, seed: int, count: int) -> tuple[Any, str]:
    made, body = roadmap_problem(seed, count)
    file = path / "problem.json"
    file.write_text(json.dumps(sent(body)), "utf-8")
    return made, str(file)


def test_a_file_gives_the_engines_plan_and_what_would_change_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, file = written(tmp_path, 5, 8)
    assert main(["roadmap", "--problem", file, "--reasons", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    found = sent(roadmap(made.measures, made.losses, made.means, made.programmes, made.begins))
    assert said == {"roadmap": None, "begins": made.begins.isoformat(), **found}
    assert main(["roadmap", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    with open(file, encoding="utf-8") as opened:  # noqa: PTH123 - of a name
        jsonschema.validate(json.load(opened), schema)
    first = found["chosen"][0]["measure"]
    assert main(["roadmap", "--problem", file, "--exclude", first, "--json"]) == 0
    assert first not in {one["measure"] for one in json.loads(capsys.readouterr().out)["chosen"]}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_owner_reads_phases_money_and_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    made, file = written(tmp_path, 5, 8)
    assert main(["roadmap", "--problem", file, "--reasons", "--lang", language]) == 0
    text = capsys.readouterr().out
    found = roadmap(made.measures, made.losses, made.means, made.programmes, made.begins)
    assert found.chosen
    assert found.not_now
    titles = {one.id: one.title["ko" if language == "ko" else "en"] for one in made.measures}
    for one in found.chosen:
        lines = text.split(f"  - {titles[one.measure]}, ")[1].split("\n  - ")[0]
        assert f"{one.cost:,}" in lines
        assert f"{one.cost - one.support:,}" in lines
        assert (one.programme or "") in lines
        assert all(place[0] in lines for place in one.depends)
    words = ("1단계", "2단계", "3단계", "남는 돈", "지금은 보류하는 과제")
    assert all(word in text for word in (words if language == "ko" else ("Phase 1", "Phase 3", "Worth", "Not now")))
    assert f"{found.value:,}" in text
    assert all(f"{month.balance:,}" in text for month in found.months if month.bills or month.own)
    later = text[text.index("지금은 보류" if language == "ko" else "Not now") :]
    for out in found.not_now:
        line = later.split(f"- {titles[out.measure]}: ")[1].split("\n")[0]
        if out.relaxation is not None and out.relaxation.resource in {"cash", "support", "cap", "price", "gain"}:
            assert f"{out.relaxation.amount:,.0f}" in line
    assert "{" not in text
    assert "None" not in text


def test_every_reason_has_words_in_both_languages() -> None:
    for language in ("ko", "en"):
        teller = Teller({"m": {"ko": "과제", "en": "measure"}}, day_of(NOW), language)
        said = set()
        for resource in ORDER:
            for subject in (None, "m"):
                told = {"resource": resource, "phase": 1, "amount": 2_500_000, "subject": subject}
                plan: dict[str, Any] = {
                    "chosen": [], "months": [], "bridged": 0, "dear": 0, "proven_optimal": True,
                }  # fmt: skip
                out = [{"measure": "m@press-1", "relaxation": told}]
                said.add(teller.lines(plan, out, reasons=True)[-1])
        assert len(said) >= len(ORDER)
        nothing = teller.lines(plan, [{"measure": "m", "relaxation": None}], reasons=True)
        assert ("사지 않으" in nothing[1]) if language == "ko" else ("buy nothing" in nothing[1])


def test_what_is_wrong_with_a_file_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "problem.json"
    _, body = roadmap_problem(5, 2)
    body = sent(body)
    body["measures"][1]["cost"] = {"low": 2, "high": 1}
    del body["means"]["cash"]
    file.write_text(json.dumps(body), "utf-8")
    assert main(["roadmap", "--problem", str(file)]) == 1
    told = capsys.readouterr().err
    assert "measures.1.cost: " in told
    assert "means.cash: " in told
    assert main(["roadmap", "--problem", str(tmp_path / "none.json")]) == 1
    file.write_text("{", "utf-8")
    assert main(["roadmap", "--problem", str(file)]) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["roadmap"])
    with pytest.raises(SystemExit, match="2"):
        main(["roadmap", "hana", "--problem", str(file)])


def test_of_the_database_it_is_stored_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    words = ["roadmap", "hana", "--database", url, "--lang", "ko"]
    assert main(["upgrade", "--database", url]) == 0
    assert main(words) == 1
    assert "no factory hana" in capsys.readouterr().err
    registry = Registry(url)
    registry.decide(lambda s: catalogues.sync(s, load(), day_of(NOW)), Actor("test"))
    registry.decide(
        lambda s: add(
            s,
            t.Party(id="hana", kind="factory", name="하나", created_at=1),
            t.Factory(id="hana", region="busan", industry="C29", process="press"),
            t.Machine(factory_id="hana", id="press-1", name="프레스 1", process="press", limits_output="yes"),
        ),
        Actor("test"),
    )
    assert main(words) == 1
    assert "진단" in capsys.readouterr().err
    key = new_id()
    registry.decide(
        lambda s: add(
            s,
            t.Assessment(
                id=key, factory_id="hana", at=NOW, kind="measured", state="day28", coverage=0.9,
                body={"indicators": [["", "V01", 90.0]]}, hash="h",
            ),
            t.Loss(
                id=new_id(), assessment_id=key, machine_id="press-1", bucket="setup", share_low=0.05,
                share_high=0.1, won_low=30_000_000, won_high=60_000_000, coverage=0.9, days=28, lacking=[],
            ),
            t.Budget(
                id=new_id(), factory_id="hana", at=NOW, cash=[20_000_000] * 3, staff_days=[60.0] * 3,
                support=[0] * 3, most_measures=3,
            ),
        ),
        Actor("test"),
    )  # fmt: skip
    assert main([*words, "--begins", "2027-01-04"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("로드맵 (2027-01-04부터 3년)")
    assert "준비교체 단축(SMED) (press-1), 2027-01" in told
    assert main([*words, "--begins", "2027-01-04", "--exclude", "smed", "--reasons", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    with registry.reading() as session:
        rows = {row.id: row.version for row in session.query(t.Roadmap)}
    assert sorted(rows.values()) == [1, 2]
    assert rows[said["roadmap"]] == 2
    assert not any(one["measure"].startswith("smed") for one in said["chosen"])
    why = {one["measure"]: one["relaxation"] for one in said["not_now"]}
    assert why["smed@press-1"]["resource"] == "excluded"
    registry.close()

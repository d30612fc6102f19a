"""`techsquare match` and `techsquare round`, as a person runs them, on both databases."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from techsquare.cli import main
from techsquare.registry import migrate
from techsquare.registry import tables as t
from techsquare.registry.store import Registry
from techsquare.services.days import day_of, quarter
from tests.techsquare.market.rows import put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import Postgres
    from tests.techsquare.matching.market import Market


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """Return a registry with the tables of this program's version."""
    if request.param == "sqlite":
        found = Registry(f"sqlite:///{tmp_path}/registry.db")
    else:
        cluster: Postgres = request.getfixturevalue("cluster")
        found = Registry(cluster.url(cluster.create()))
    migrate.upgrade(found)
    yield found
    found.close()


def test_lists_and_a_round_by_the_command(
    database: Registry, told: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time_ns()
    put(database, told, now)
    where = ["--database", database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")]

    def said(*words: str) -> Any:
        assert main([*words, "--json", *where]) == 0
        return json.loads(capsys.readouterr().out)

    made = said("match", "--all")
    assert made["offers"] > 0
    assert made["items"] == len(told.items) == sum(made["advice"].values())
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(t.Offer)) == made["offers"]
        item = session.scalars(select(t.Offer.item_id).where(t.Offer.ended_at.is_(None)).limit(1)).one()
    assert main(["match", "--all", *where]) == 0
    told_ = capsys.readouterr()
    assert "100%" not in told_.out
    assert "techsquare: 35%" in told_.err
    assert f"{made['items']} items, {made['offers']} offers" in told_.out
    assert said("match", "--due")["items"] == made["items"] - made["advice"]["offers"]
    assert said("match", "--item", item)["advice"] == "offers"
    assert main(["match", "--item", item, *where]) == 0
    assert "there is a list" in capsys.readouterr().out
    assert main(["match", "--item", "nobody", *where]) == 1
    assert "There is no such thing" in capsys.readouterr().err

    of = quarter(day_of(now))
    row = said("round", "prepare", of, "--opens", "2026-11-01", "--closes", "2026-12-01")
    assert (row["state"], len(row["seed"])) == ("planned", 32)
    tried = said("round", "simulate", row["id"])
    assert tried["blocking"] == 0
    assert tried["counts"]["accepted"] > 0
    assert main(["round", "publish", row["id"], *where]) == 1
    assert capsys.readouterr().err.startswith("techsquare: ")
    assert [said("round", "forward", row["id"])["state"] for _ in range(2)] == ["open", "closed"]
    assert main(["round", "publish", row["id"], *where]) == 0
    shown = capsys.readouterr().out
    assert f"{tried['counts']['accepted']} accepted" in shown
    assert "0 blocking pairs" in shown


def test_words_that_mean_nothing_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    where = ["--database", f"sqlite:///{tmp_path}/x.db"]
    for words in (
        ["match", *where],
        ["match", "--all", "--item", "x", *where],
        ["round", "prepare", "2026-Q5", "--opens", "2026-01-01", "--closes", "2026-02-01", *where],
        ["round", "prepare", "2026-Q1", "--opens", "2026-03-01", "--closes", "2026-02-01", *where],
    ):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 2
        assert capsys.readouterr().err
    assert main(["match", "--all", *where]) == 78  # no tables

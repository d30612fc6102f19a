"""The night begins once a day, whoever is up and however late; by hand it is told what was done."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from techsquare.api.verbs import AT
from techsquare.catalogue.load import Catalogue
from techsquare.cli import main
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.store import Registry
from techsquare.services import night
from techsquare.services.jobs import Jobs
from techsquare.services.nightly import Nightly, latest
from techsquare.services.work import KINDS, Bench

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600 * 10**9


def at(text: str) -> int:
    """Return UTC ns of a moment in Korea."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=9)).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("moment", "begins", "night_of"),
    [
        ("2026-11-24 01:59:59", time(2), "2026-11-23"),
        ("2026-11-24 02:00:00", time(2), "2026-11-24"),
        ("2026-11-24 23:59:59", time(2), "2026-11-24"),
        ("2026-11-24 08:59:59", time(9), "2026-11-23"),  # midnight in UTC
        ("2026-11-25 00:00:00", time(0), "2026-11-25"),
    ],
)
def test_a_night_begins_by_the_clock_of_korea(moment: str, begins: time, night_of: str) -> None:
    assert latest(at(moment), begins) == date.fromisoformat(night_of)


def nights(registry: Registry) -> list[tuple[str, str]]:
    with registry.reading() as session:
        rows = session.scalars(select(t.Job).where(t.Job.kind == "night").order_by(t.Job.id))
        return [(row.id, row.state) for row in rows]


def test_of_several_servers_one_begins_it_and_late_ones_catch_up_once(registry: Registry) -> None:
    now = at("2026-11-24 01:00:00")
    told: list[int] = []
    servers = [Nightly(registry, AT, lambda: now, lambda i=i: told.append(i)) for i in range(4)]  # type: ignore[misc]

    def all_look() -> None:
        found: list[BaseException] = []

        def look(server: Nightly) -> None:
            try:
                for _ in range(3):
                    server.step()
            except BaseException as exc:  # noqa: BLE001 - told by the test
                found.append(exc)

        threads = [threading.Thread(target=look, args=(server,)) for server in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not found

    all_look()
    assert [name for name, _ in nights(registry)] == ["night-2026-11-23"]  # the one that nobody has done
    now += HOUR
    all_look()
    assert [name for name, _ in nights(registry)] == ["night-2026-11-23", "night-2026-11-24"]
    now += 5 * 24 * HOUR  # nobody was up
    servers[:] = [Nightly(registry, AT, lambda: now, lambda: told.append(9)) for _ in range(2)]
    all_look()
    all_look()
    assert [name for name, _ in nights(registry)][2:] == ["night-2026-11-29"]
    assert len(told) == 3
    never = Nightly(registry, None, lambda: now + 24 * HOUR, lambda: told.append(0))
    never.start()
    assert not never.step()
    never.close()
    assert len(nights(registry)) == 3


def test_the_first_thing_is_to_look_who_is_silent(registry: Registry) -> None:
    now = at("2026-11-24 02:00:00")

    def work(session: object) -> None:
        for row in (
            t.Party(id="hanil", kind="factory", name="hanil", created_at=1),
            t.Factory(id="hanil", region="", industry=""),
            t.Agent(
                factory_id="hanil", id="edge-1", reporter=True, public_key="A" * 43 + "=", seen_at=now - 96 * HOUR
            ),
        ):
            session.add(row)  # type: ignore[attr-defined]
            session.flush()  # type: ignore[attr-defined]

    registry.decide(work, Actor("test"))
    assert Nightly(registry, AT, lambda: now, lambda: None).step()
    assert Jobs(Bench(registry, Catalogue((), ()), lambda: now), KINDS, 0).step()
    with registry.reading() as session:
        answer = session.get_one(t.Job, "night-2026-11-24").answer
        assert [task.kind for task in session.scalars(select(t.Task))] == ["silence"]
    assert answer is not None
    assert next(iter(answer)) == "silence"
    assert answer["silence"] == {"silent": 1, "heard": 0, "withdrawn": 0}
    assert {"failed"}.isdisjoint(map(str, answer.values()))


def test_by_hand_it_is_the_same_night_and_once_more_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    assert main(["night", "--database", url]) == 78
    assert "techsquare upgrade" in capsys.readouterr().err
    assert main(["upgrade", "--database", url]) == 0
    capsys.readouterr()
    registry = Registry(url)
    words = ["night", "--database", url]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {name for name, _ in night.TASKS}
    assert main(words) == 0
    assert "silence: 0 silent" in capsys.readouterr().out
    kept = nights(registry)
    assert [state for _, state in kept] == ["done", "done"]
    assert kept[1][0].startswith(f"{kept[0][0]}-")
    assert not Nightly(registry, AT, _ns, lambda: None).step()  # a server finds it done

    def broken(_registry: object, _catalogue: object, _now: int) -> dict[str, int]:
        raise ValueError

    monkeypatch.setattr(night, "TASKS", (("broken", broken), *night.TASKS))
    assert main(words) == 1
    assert "broken: failed" in capsys.readouterr().out
    registry.close()


def _ns() -> int:
    return int(datetime.now(UTC).timestamp()) * 10**9

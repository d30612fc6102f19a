"""Needs are said with a draft and looked at; a fit test is asked over the API by the owner alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.store import add
from tests.techsquare.api.story import Story
from tests.techsquare.registry.test_store import ME

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand


def test_needs_are_checked_with_the_draft_and_asked_about_by_the_owner_once(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, ada, bori, duri, op = (story.who[name] for name in ("hana", "mina", "ada", "bori", "duri", "op"))
    needs = [{"id": "state", "metric": "V01", "min": 0.5}]
    version = story.offered("ada", "andon", 5_000_000, needs=needs)
    bare = story.offered("bori", "andon", 5_000_000)
    with stand.registry.reading() as session:
        row = session.get_one(t.SolutionVersion, version)
        assert row.requires["needs"] == [{"id": "state", "metric": "V01", "min": 0.5, "max": None}]
        solution = row.solution_id
    span = {"low": 0, "high": 0}
    draft: dict[str, Any] = {
        "version": "2", "processes": [], "interfaces": [], "regions": [], "remote": True, "price": span,
        "yearly": span, "leaving": span,
        "needs": [*needs, {"id": "energy", "metric": "E01", "min": 1.0}, {"id": "state", "metric": "V01"}],
    }  # fmt: skip
    wrong = ada.post(f"/v1/solutions/{solution}/versions", json=draft)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_needs")
    assert "foreign_metric" in wrong.text
    assert "same_name" in wrong.text
    path = "/v1/factories/hana/fit-checks"
    assert hana.post(path, json={"version_id": version}).json()["code"] == "fit_consent"
    stand.registry.decide(
        lambda s: add(
            s,
            t.Agent(factory_id="hana", id="edge-1", reporter=True, public_key=None),
            t.Consent(
                factory_id="hana", agent_id="edge-1", source="manifest", since=1, serial=1, recorded_at=1,
                scopes=["fit", "fit_missing"],
            ),
        ),
        ME,
    )  # fmt: skip
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    others = {"mina": mina, "ada": ada, "bori": bori, "duri": duri, "op": op}
    tried = {name: who.post(path, json={"version_id": version}).status_code for name, who in others.items()}
    assert tried == {"mina": 403, "ada": 404, "bori": 404, "duri": 404, "op": 404}
    assert hana.post(path, json={"version_id": bare}).json()["code"] == "no_needs"
    first = hana.post(path, json={"version_id": version})
    assert first.status_code == 202, first.text
    assert first.json()["row"] == {"version_id": version, "asked": True, "result": None, "missing": None}
    assert hana.post(path, json={"version_id": version}).json()["id"] == first.json()["id"]
    (seen,) = ada.get("/v1/rows/fit_check").json()["rows"]
    assert "factory_id" not in seen
    assert bori.get("/v1/rows/fit_check").json()["rows"] == op.get("/v1/rows/fit_check").json()["rows"] == []

"""A measure that the factory puts up itself: what waits for it goes on, and its word can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.techsquare.api.story import Story

if TYPE_CHECKING:
    import httpx

    from tests.techsquare.api.stand import Stand


def of(client: httpx.Client, state: str) -> dict[str, dict[str, Any]]:
    rows = client.get(f"/v1/rows/roadmap_item?where=state={state}&limit=500").json()["rows"]
    return {row["measure_id"]: row for row in rows}


def test_what_needs_no_supplier_stands_by_the_factorys_word(stand: Stand) -> None:
    story = Story(stand)
    hana, duri, ada, op = (story.who[name] for name in ("hana", "duri", "ada", "op"))
    story.planned()
    before = of(hana, "open")
    key = before["smed"]["id"]
    assert "quick-clamps" in before, "it needs smed"
    solution = ada.post("/v1/suppliers/ada/solutions", json={"family": "quick-clamps", "name": "클램프"}).json()[
        "id"
    ]
    span = {"low": 1_000_000, "high": 1_000_000}
    made = ada.post(
        f"/v1/solutions/{solution}/versions",
        json={
            "version": "1", "processes": ["press"], "interfaces": [], "regions": ["busan"], "remote": False,
            "price": span, "yearly": span, "leaving": span, "capabilities": {"quick-change": {}},
            "continuity": ["store", "tags", "interface", "export"],
        },
    )  # fmt: skip
    assert ada.post(f"/v1/versions/{made.json()['id']}/register").status_code == 200

    def lacking() -> set[str]:
        told = hana.get(f"/v1/items/{before['quick-clamps']['id']}/why-not/ada").json()
        return set(told[0]["said"]["failed"])

    assert "prerequisite" in lacking()
    path = f"/v1/items/{key}/done"
    for other in (duri, ada, op):
        assert other.post(path).status_code == 404
        assert other.delete(path).status_code == 404
    assert hana.delete(path).json()["code"] == "not_open", "nobody has said that it stands"
    assert hana.post(path).json()["row"]["state"] == "done"
    assert hana.post(path).json()["code"] == "not_open"
    assert hana.post(f"/v1/items/{key}/match").json()["code"] == "not_open"
    assert "prerequisite" not in lacking()
    assert hana.delete(path).json()["row"]["state"] == "open"
    assert "prerequisite" in lacking()
    assert hana.post(path).status_code == 200
    plan = hana.post("/v1/factories/hana/roadmaps", json={}).json()["row"]["body"]
    assert plan["asked"]["standing"] == ["smed@press-1"]
    assert "smed" not in of(hana, "open")
    assert hana.delete(path).json()["row"]["state"] == "dropped", "the plan of today has its own items"

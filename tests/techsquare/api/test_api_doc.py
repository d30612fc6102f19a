"""docs/api.md, request by request as it stands there, against a real server on both databases."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.codec import encode
from techsquare.api.problems import MEDIA
from techsquare.intake.terms import Fate
from techsquare.registry.access import TOKEN_SCOPES
from tests.techsquare.api.story import PASSWORD, Story
from tests.techsquare.intake.made import Made

if TYPE_CHECKING:
    import httpx

    from tests.techsquare.api.stand import Stand

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
ANY = "…"
NAMES = re.compile(r"\b[A-Z]{3,}\b")


def examples() -> list[tuple[str, int, Any]]:
    """Return requests with the status and the answer that the page shows."""
    found = re.findall(r"```http\n(.*?)```\n```json (\d+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(found) == PAGE.read_text("utf-8").count("```http")
    return [(asked, int(status), json.loads(answer)) for asked, status, answer in found]


def agree(shown: Any, said: Any, known: dict[str, str], where: str = "") -> None:
    """Hold what is shown against what was said, and learn the values of names in capitals."""
    if shown == ANY:
        return
    if isinstance(shown, dict):
        assert isinstance(said, dict), where
        for name, value in shown.items():
            assert name in said, f"{where}.{name}"
            agree(value, said[name], known, f"{where}.{name}")
    elif isinstance(shown, list):
        fixed = shown[:-1] if shown and shown[-1] == ANY else shown
        assert len(said) == len(shown) if fixed is shown else len(said) > len(fixed), (where, said)
        for place, value in enumerate(fixed):
            agree(value, said[place], known, f"{where}[{place}]")
    elif isinstance(shown, str) and NAMES.fullmatch(shown):
        assert known.setdefault(shown, said) == said, where
    else:
        assert shown == said, where


class Asked:
    """Somebody who follows the page."""

    def __init__(self, client: httpx.Client, known: dict[str, str], files: dict[str, bytes]) -> None:
        self.client, self.known, self.files = client, known, files

    def send(self, text: str) -> httpx.Response:
        """Send a request of the page."""
        text = NAMES.sub(lambda m: self.known.get(m[0], m[0]), text)
        first, *rest = text.strip().split("\n")
        method, path = first.split(" ", 1)
        headers = {}
        while rest and re.match(r"[A-Z][A-Za-z-]+: ", rest[0]):
            name, value = rest.pop(0).split(": ", 1)
            headers[name] = value
        body: bytes = "\n".join(rest).encode()
        if body.startswith(b"<"):
            body = self.files[body[1:].decode()]
        if body:
            headers["Content-Type"] = "application/json"
        return self.client.request(method, path, content=body or None, headers=headers)


def test_every_example_of_the_page_is_so(stand: Stand) -> None:
    story, box = Story(stand), Made("hana")
    roadmap = story.planned()["id"]
    box.sign(3)
    files = {"manifest.json": box.manifest().payload, "days.json": encode({"days": box.days})}
    asked = Asked(stand.client(), {"PASSWORD": PASSWORD, "ROADMAP": roadmap}, files)
    del asked.client.headers["Accept-Language"]
    found = examples()
    assert len(found) >= 14
    for text, status, shown in found:
        answer = asked.send(text)
        until = time.monotonic() + 60
        while text.startswith("GET /v1/jobs/") and answer.json()["state"] in {"waiting", "running"}:
            assert time.monotonic() < until
            time.sleep(0.05)
            answer = asked.send(text)
        assert answer.status_code == status, (text, answer.text)
        assert status < 400 or answer.headers["Content-Type"] == MEDIA
        assert status != 202 or answer.headers["Location"] == f"/v1/jobs/{answer.json()['id']}"
        agree(shown, answer.json(), asked.known, text.split("\n", maxsplit=1)[0])
    tag = asked.send("GET /v1/rows/roadmap_item/ITEM\nAuthorization: Bearer PROGRAM\n").headers["ETag"]
    again = f"GET /v1/rows/roadmap_item/ITEM\nAuthorization: Bearer PROGRAM\nIf-None-Match: {tag}\n"
    assert asked.client.request("GET", "/problems/scope").json()["status"] == 403
    assert asked.send(again).status_code == 304


def test_the_page_names_all_scopes_and_fates() -> None:
    page = PAGE.read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)) >= set(TOKEN_SCOPES)
    assert all(f"`{fate}`" in page for fate in Fate.__args__)  # type: ignore[attr-defined]

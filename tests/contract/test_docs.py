"""docs/wire.md names everything that the code can say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from agent.frame import EventKind, GapCause
from agent.health import State
from contract import payload
from contract.rights import BRANCH, RIGHTS
from contract.schemas import PAYLOADS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "wire.md").read_text("utf-8")


def test_each_topic_payload_kind_and_cause_stands_there() -> None:
    for right in RIGHTS:
        if right.topic.startswith(f"{BRANCH}/"):
            level = right.topic.split("/")[4]
            assert re.search(rf"`{level}[`/]", PAGE), right.topic
    for name in PAYLOADS.keys() - {"report.get"}:
        assert f"(../contract/schemas/{name}.json)" in PAGE, name
    for word in (*get_args(EventKind), *get_args(GapCause)):
        assert f"`{word}`" in PAGE, word
    for state in get_args(State):
        assert f"`{state}`" in (payload.Status.__doc__ or ""), state


def test_each_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target

"""One variable of an OPC UA server for `tsq-agent probe`: what the server says of it, and whether it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text as Styled

from agent.cli.browsing.entries import entries, line, reason
from agent.cli.table import clean, table
from agent.cli.values import of_node
from agent.cli.words import QUALITY, status_text
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.config import OpcUaDevice
from agent.frame import quality
from agent.interpretation import MOTIONS, motion
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from agent.cli.probe import Target
    from agent.collectors.opcua.choose import Found
    from settings.language import Language


async def look(target: Target, count: int, every_s: float) -> list[Found]:
    """Read a variable so often.

    Raises:
        Unreachable, Refused: as from a collector.
        Complaint: the node id is written in another way.
    """
    from agent.collectors.opcua.browse import opened  # noqa: PLC0415 - asyncua costs 48 MB

    device = target.device
    assert isinstance(device, OpcUaDevice)
    clock = SystemClock(trusted=True)
    found: list[Found] = []
    async with opened(device, Box(clock, pki=target.pki)) as tree:
        for number in range(count):
            if number:
                await clock.sleep(every_s)
            found.append(await tree.one(target.address))
    return found


def report(device: str, seen: Sequence[Found], language: Language) -> RenderableType:
    """Return what the server says, and what the readings say."""
    last = seen[-1]
    values = [found.value for found in seen]
    head = Text(f"{device}  {last.node}: {len(seen)} readings", f"{device}  {last.node}: {len(seen)}회 읽음")
    yes, no = Text("yes", "가능"), Text("no", "불가")
    level = QUALITY[quality(last.status)](language)
    why = status_text(last.status)(language)
    ranges = [r for r in (last.eu_range, last.instrument_range) if r]
    rows = [
        (Text("value", "값"), f"{of_node(last.value, last.dtype)} {last.unit or ''}".strip() or "-"),
        (Text("quality", "품질"), f"{level} {why}".strip()),
        (Text("changes", "변화"), MOTIONS[motion(values)](language)),
        (Text("server's type", "서버 자료형"), last.data_type or "-"),
        (Text("type to write", "설정 type"), str(last.dtype or "-")),
        (Text("may be read", "읽기"), (yes if last.readable[1] else no)(language)),
        (Text("range", "범위"), ", ".join(f"{low:g}..{high:g}" for low, high in ranges) or "-"),
        (Text("labels", "값 의미"), ", ".join(f"{n} {name}" for n, name in last.labels) or "-"),
        (Text("description", "설명"), last.description or "-"),
    ]
    said = [*table(["", ""], [(title(language), text) for title, text in rows])][2:]
    parts: list[RenderableType] = [Styled(clean(head(language)), "bold"), "", *(Styled(text) for text in said)]
    refused = reason(last)
    if refused is not None:
        parts.append(Styled(clean(refused(language)), "bold"))
    parts += [Styled(line(entry)) for entry in entries([last], ())]
    return Group("", *parts)


def signal(found: Found, id_: str, name: str | None, unit: str | None) -> dict[str, Any]:
    """Return what is written for it.

    Raises:
        Complaint: it cannot be one signal.
    """
    made = entries([found], ())
    if len(made) != 1:
        why = reason(found) or Text("it is several signals: use browse", "태그 여러 개입니다. browse를 쓰십시오")
        raise Complaint(f"{found.node}: {why.en}", f"{found.node}: {why.ko}")
    one = made[0] | {"id": id_, "found": "probe"}
    return one | ({"name": name} if name else {}) | ({"unit": unit} if unit else {})

"""From a file or a message to answers, or to everything that is wrong with them at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from answers import tables
from answers.checks import check
from answers.model import Answers
from settings import load as loading
from settings.document import BYTES_LIMIT
from settings.language import Text
from settings.tree import Line, List, Map, Problem, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from answers.tables import Shape

    Fetch = Callable[[str], bytes]

_BEGIN = Text(
    "begin with `version: 1`, see config/answers.example.yaml",
    "`version: 1`부터 쓰십시오(config/answers.example.yaml 참고)",
)


@dataclass(frozen=True, slots=True)
class Given:
    """One accepted set.

    Attributes:
        answers: What it says.
        source: Where it came from.
        text: All of it as JSON, tables included: `read` makes the same of it again.
        digest: See `Answers.digest`.
    """

    answers: Answers
    source: Literal["file", "message"]
    text: str
    digest: str


def load(path: str | Path, lang: str | None = None) -> Given:
    """Read and check a file of answers, and the tables that it names.

    Raises:
        ConfigError: it cannot be read or used; the text holds every complaint, one a line.
    """
    folder = Path(path).parent

    def fetch(name: str) -> bytes:
        with (folder / name).open("rb") as file:
            return file.read(tables.BYTES + 1)

    return loading.load(path, partial(read, fetch=fetch), lang)


def read(
    raw: bytes, source: Literal["file", "message"] = "file", fetch: Fetch | None = None
) -> tuple[Given | None, Sequence[Problem]]:
    """Return the answers that some text means, YAML or JSON, or None and what is wrong with it, sorted by line.

    Args:
        raw: The text.
        source: Where it came from.
        fetch: Returns the content of a table beside it; None where there is nothing beside it.
    """
    completed: list[Map] = []

    def complete(root: Map) -> tuple[Sequence[Problem], Sequence[str]]:
        completed.append(root)
        return _with_tables(root, fetch)

    answers, problems = loading.read(raw, Answers, _BEGIN, check, complete)
    if answers is None:
        return None, problems
    text = json.dumps(completed[0], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if len(text.encode()) > BYTES_LIMIT:
        size = f"{BYTES_LIMIT // 10**6} MB"
        en, ko = f"with its tables it has more than {size}", f"표까지 합치면 {size}를 넘습니다"
        return None, [Problem(1, Text(en, ko))]
    return Given(answers, source, text, answers.digest()), problems


def _with_tables(root: Map, fetch: Fetch | None) -> tuple[Sequence[Problem], Sequence[str]]:
    """Put the rows of tables into the answers, in place."""
    problems: list[Problem] = []
    found = root.get("systems")
    for index, system in enumerate(found if isinstance(found, List) else ()):
        if isinstance(system, Map) and "points_file" in system:
            listed, wrong = _table(root, ("systems", index, "points_file"), system, tables.POINTS, fetch)
            problems += wrong or _add_points(system, listed)
    if "use_file" in root:
        listed, wrong = _table(root, ("use_file",), root, tables.USE, fetch)
        problems += wrong
        use = root.setdefault("use", List())
        if isinstance(use, List):
            root.lines.setdefault("use", root.lines.get("use_file", 1))
            use.extend(listed)
            use.lines.extend(listed.lines)
    return problems, ()


def _table(
    root: Map, loc: tuple[int | str, ...], holder: Map, shape: Shape, fetch: Fetch | None
) -> tuple[List, list[Problem]]:
    """Take the reference out of the answers and return the rows of the table that it names."""
    line, path = locate(root, loc)
    name: Any = holder.pop(str(loc[-1]))

    def refused(en: str, ko: str) -> tuple[List, list[Problem]]:
        return List(), [Problem(line, Text(en, ko), path)]

    if fetch is None:
        return refused(
            "a message has nothing beside it: write the rows into it",
            "메시지에는 파일을 붙일 수 없습니다. 내용을 직접 쓰십시오",
        )
    if not isinstance(name, str) or not name or Path(name).name != name or name.startswith("."):
        return refused(
            "write the name of a file that stands beside this one",
            "이 파일과 같은 폴더에 있는 파일 이름만 쓰십시오",
        )
    try:
        raw = fetch(name)
    except OSError as exc:
        return refused(f"cannot be read: {exc.strerror}", f"읽을 수 없습니다({exc.strerror})")
    if len(raw) > tables.BYTES:
        return refused("is larger than 4 MB", "4 MB를 넘습니다")
    return tables.rows(raw, shape, name, line, str(loc[-1]))


def _add_points(system: Map, listed: List) -> list[Problem]:
    points = system.setdefault("points", Map())
    if not isinstance(points, Map):
        return []
    problems = []
    for item, line in zip(listed, listed.lines, strict=True):
        point = item.get("point")
        if point is None:
            problems.append(Problem(line, Text("this row names no point", "포인트 이름이 없는 행입니다")))
        elif point in points:
            first = points.lines.get(point, 1)
            where = f"{first.file}:{first:d}" if isinstance(first, Line) else f"{first}"
            problems.append(
                Problem(
                    line,
                    Text(
                        f"{point} is listed twice (first in line {where})",
                        f"두 번 있는 포인트입니다({point}, 처음 {where}행)",
                    ),
                )
            )
        else:
            points[point] = item.get("signal")
            points.lines[point] = line
    return problems

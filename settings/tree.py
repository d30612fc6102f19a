"""The plain data of a file with its lines, and where in it something stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Location = tuple[int | str, ...]
"""Keys and indices from the root, as in pydantic's errors."""


class Line(int):
    """A line of another file that the first one is made from.

    Attributes:
        file: The other file, as it is shown.
        via: Line of the first file that brought it in.
        key: Under which key.
    """

    file: str
    via: int
    key: str

    def __new__(cls, line: int, file: str, via: int, key: str = "extends") -> Self:
        """Return line `line` of `file`."""
        made = super().__new__(cls, line)
        made.file, made.via, made.key = file, via, key
        return made


def of_file(line: int) -> Text:
    """Return a line as it is said in a sentence: `line 7`, with its file when that is another one."""
    if isinstance(line, Line):
        return Text(f"line {line:d} of {line.file}", f"{line.file} {line:d}행")
    return Text(f"line {line}", f"{line}행")


class Map(dict[str, Any]):
    """A mapping and the line (from 1) of each of its keys."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class List(list[Any]):
    """A sequence and the line (from 1) of each of its items."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint about the file; `path` is empty where the file as such is meant."""

    line: int
    text: Text
    path: str = ""


def walk(root: Map, loc: Sequence[int | str]) -> Iterator[tuple[int | str, Any, Any]]:
    """Yield (key or index, what holds it, what stands there) of each step of a location.

    A key that is not there is yielded last, with the mapping that should hold it, and None. Parts that name no key
    or item (pydantic adds the tag of a union) are passed over.
    """
    here: Any = root
    for number, part in enumerate(loc):
        if isinstance(here, Map) and isinstance(part, str):
            tag = part == here.get("type") and (
                part not in here or (number > 0 and isinstance(loc[number - 1], int))
            )
            if part in here and not tag:
                yield part, here, here[part]
                here = here[part]
            elif not tag and number == len(loc) - 1:
                yield part, here, None
        elif isinstance(here, List) and isinstance(part, int) and part < len(here):
            yield part, here, here[part]
            here = here[part]


def locate(root: Map, loc: Sequence[int | str]) -> tuple[int, str]:
    """Return the line and the path of a location.

    Args:
        root: The file.
        loc: Keys and indices, as in pydantic's errors.

    Returns:
        The line from 1 (of a missing key: where the mapping that should hold it begins), and for example
        `devices[press-plc].groups[fast].signals[motor-current].address`.
    """
    line, path = 1, ""
    for part, holder, found in walk(root, loc):
        if isinstance(part, str):
            line = holder.lines.get(part, line)
            path += f".{part}" if path else part
        else:
            line = holder.lines[part]
            label = found.get("id") if isinstance(found, Map) else None
            path += f"[{label if isinstance(label, str) and label else f'#{part + 1}'}]"
    return line, path


def value_at(root: Map, loc: Sequence[int | str]) -> Any:
    """Return what stands at a location; None where nothing does."""
    found: Any = root
    for _, _, found in walk(root, loc):  # noqa: B007 - the last one is wanted
        pass
    return found

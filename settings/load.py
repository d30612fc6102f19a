"""From a file to a configuration, or to everything that is wrong with it at once."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from settings.document import BYTES_LIMIT, parse
from settings.errors import ConfigError
from settings.explain import problems
from settings.language import Text, choose
from settings.tree import Line, Map, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from settings.language import Language

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

EACH = 5
"""Of complaints that differ in nothing but their place so many are shown; of one more than that, all."""
MOST = 100
"""Lines of complaints altogether: what is below them nobody reads before the first ones are mended."""
_PLACE = re.compile(r"\[[^]]*\]")


def load(
    path: str | Path, read: Callable[[bytes], tuple[T | None, Sequence[Problem]]], lang: str | None = None
) -> T:
    """Read and check a configuration file; nothing but this file is touched.

    Args:
        path: The file; error lines begin with it as it is given.
        read: Makes a configuration of the file's content, or says what is wrong with it: see `read` below.
        lang: Language of the errors, "ko" or "en"; by locale when None.

    Raises:
        ConfigError: the file cannot be read or used; the text holds every kind of complaint, one a line, in the
            order of the file, as `file:line: path: what to do` (see `lines`).
    """
    language = choose(lang, os.environ)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(BYTES_LIMIT + 1)  # a device file or a disk image must not fill the memory
    except OSError as exc:
        text = Text(
            f"cannot be read: {exc.strerror}: check the path and the rights",
            f"읽을 수 없습니다({exc.strerror}). 경로와 권한을 확인하십시오",
        )
        raise ConfigError(f"{path}: {text(language)}") from exc
    config, found = read(raw)
    if config is None:
        raise ConfigError("\n".join(lines(found, str(path), language)))
    return config


def read(
    raw: bytes,
    model: type[M],
    begin: Text,
    check: Callable[[Map], Iterable[Problem]] = lambda _: (),
    complete: Callable[[Map], tuple[Sequence[Problem], Sequence[str]]] = lambda _: ((), ()),
) -> tuple[M | None, Sequence[Problem]]:
    """Return the configuration that a file's content means, or None and what is wrong with it, sorted by line.

    Args:
        raw: The content.
        model: What stands in it.
        begin: How such a file begins, for one that holds nothing.
        check: Finds what lies between the parts of a file; it must cope with parts of any shape.
        complete: Puts into the file what it takes from others, in place. Returns what is wrong with those, and
            paths below which nothing else can be said then.
    """
    document = parse(raw)
    found = list(document.problems)
    root = document.root
    if not isinstance(root, Map):
        if not found:
            found.append(Problem(1, Text(f"no configuration: {begin.en}", f"설정이 없습니다. {begin.ko}")))
        return None, found
    config: M | None = None
    incomplete, silent = complete(root)
    try:
        config = model.model_validate(root)
    except ValidationError as exc:
        found += problems(exc.errors(include_url=False), root, model)
    found += check(root)
    found = [p for p in found if not any(p.path == path or p.path.startswith(f"{path}.") for path in silent)]
    found += incomplete
    found = _once(found)
    found.sort(key=lambda problem: (getattr(problem.line, "file", ""), problem.line))
    return (None if found else config), found


def _once(found: Iterable[Problem]) -> list[Problem]:
    """Leave one of the complaints about a line of another file that several parts of this one are made from."""
    kept: dict[object, Problem] = {}
    for number, problem in enumerate(found):
        at = problem.line
        same: object = (at.file, int(at), problem.text) if isinstance(at, Line) else number
        kept.setdefault(same, problem)
    return [*kept.values()]


def lines(found: Sequence[Problem], name: str, language: Language) -> Iterator[str]:
    """Yield complaints as they are printed; a thousand signals with one mistake do not hide the others.

    Args:
        found: In the order of the file.
        name: Of the file.
        language: Of the words.
    """
    kinds = [(_PLACE.sub("[]", problem.path), problem.text) for problem in found]
    count = Counter(kinds)
    ends = {kind: problem.line for kind, problem in zip(kinds, found, strict=True)}
    seen: Counter[object] = Counter()
    shown, told = 0, 0
    for kind, problem in zip(kinds, found, strict=True):
        seen[kind] += 1
        rest = count[kind] - EACH
        if seen[kind] > EACH and rest > 1:
            if seen[kind] == EACH + 1:
                told += rest
                yield line(replace(problem, text=_again(rest, ends[kind])), name, language)
            continue
        if shown >= MOST:
            break
        shown, told = shown + 1, told + 1
        yield line(problem, name, language)
    if more := len(found) - told:
        text = Text(f"{more} more: mend these first", f"그 밖에 {more}개가 더 있습니다. 위의 것부터 고치십시오")
        yield f"{name}: {text(language)}"


def _again(more: int, last: int) -> Text:
    """Return that a complaint comes again, down to a line."""
    return Text(
        f"the same {more} times more, the last in line {last:d}", f"같은 오류가 {last:d}행까지 {more}개 더 있습니다"
    )


def line(problem: Problem, name: str, language: Language) -> str:
    """Return one complaint as it is printed: `file:line: path: what to do`."""
    path = f"{problem.path}: " if problem.path else ""
    at = problem.line
    if isinstance(at, Line):
        through = Text(f" ({at.key} in {name}:{at.via})", f" ({name}:{at.via}의 {at.key})")(language)
        return f"{at.file}:{at:d}: {path}{problem.text(language)}{through}"
    return f"{name}:{at}: {path}{problem.text(language)}"

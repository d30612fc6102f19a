"""pydantic's errors as sentences that say what to do, in both languages.

A test walks the schema of all models and fails when they can produce a type of error that has no text here.
"""

from __future__ import annotations

import collections
import re
import types
import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from settings.base import Id, ProfileName, SignalName, TopicId
from settings.characters import strange
from settings.language import Complaint, Text
from settings.suggest import nearest, slug
from settings.tree import Location, Problem, locate, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from settings.tree import Map

_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*[a-z]*")
"""What stands behind the comma of a number between braces: a key to YAML, for instance of `weight: 1,5`."""

TEXTS = {
    "missing": Text("is missing: add it", "항목이 없습니다. 추가하십시오"),
    "model_type": Text("write its keys indented below it", "하위 항목을 들여써서 아래에 쓰십시오"),
    "model_attributes_type": Text("write its keys indented below it", "하위 항목을 들여써서 아래에 쓰십시오"),
    "dict_type": Text(
        "write pairs: {{0: stop, 1: run}}, or lines such as `0: stop` below it",
        "쌍으로 쓰십시오: {{0: 정지, 1: 운전}} 또는 아래 줄에 `0: 정지` 형식",
    ),
    "tuple_type": Text(
        "write a list: [a, b], or lines that begin with '- '", "목록으로 쓰십시오: [a, b] 또는 '- '로 시작하는 줄"
    ),
    "too_short": Text(
        "needs at least {min_length}, found {actual_length}",
        "{min_length}개 이상이어야 합니다. 지금은 {actual_length}개입니다",
    ),
    "too_long": Text(
        "takes at most {max_length}, found {actual_length}",
        "{max_length}개까지입니다. 지금은 {actual_length}개입니다",
    ),
    "string_type": Text(
        'write a text; in quotes: "{input}"', '문자로 쓰십시오. 값을 따옴표로 묶으십시오: "{input}"'
    ),
    "string_too_long": Text("write at most {max_length} characters", "{max_length}자 이내로 쓰십시오"),
    "string_too_short": Text(
        "too short: write {min_length} or more characters", "너무 짧습니다. {min_length}자 이상 쓰십시오"
    ),
    "int_type": Text("write a whole number", "정수로 쓰십시오"),
    "int_parsing": Text("{input} is no whole number", "정수가 아닙니다({input}). 정수로 쓰십시오"),
    "int_parsing_size": Text("the number is too large", "숫자가 너무 큽니다"),
    "int_from_float": Text("{input} is no whole number", "정수가 아닙니다({input}). 정수로 쓰십시오"),
    "float_type": Text("write a number", "숫자로 쓰십시오"),
    "float_parsing": Text("{input} is no number", "숫자가 아닙니다({input}). 숫자로 쓰십시오"),
    "finite_number": Text("write a finite number", "유한한 숫자로 쓰십시오"),
    "bool_type": Text("write true or false, not {input}", "{input} 대신 true 또는 false로 쓰십시오"),
    "greater_than": Text("write a number above {gt}", "{gt}보다 큰 숫자로 쓰십시오"),
    "greater_than_equal": Text("write {ge} or more", "{ge} 이상으로 쓰십시오"),
    "less_than_equal": Text("write {le} or less", "{le} 이하로 쓰십시오"),
    "union_tag_not_found": Text("is missing: add it", "항목이 없습니다. 추가하십시오"),
}
"""Error types with a fixed text; `{names}` are filled from the error's context."""

WORD = 100
"""Characters of a mistyped word that are compared with known ones."""

WORD_TYPES = frozenset({"literal_error", "enum", "union_tag_invalid"})
"""Error types of a value that is none of a few words."""

OTHER_TYPES = frozenset({"extra_forbidden", "string_pattern_mismatch", "value_error"})
"""Error types that have a function of their own below."""


def _pattern_of(annotated: Any) -> str:
    constraints = annotated.__metadata__[0]
    return str(constraints.pattern)


PATTERNS = {
    _pattern_of(ProfileName): Text(
        "write the profile's name as `folder/name`, in small letters, without .yaml",
        "프로파일 이름은 `폴더/이름` 형식으로, 영문 소문자로 .yaml 없이 쓰십시오",
    ),
    _pattern_of(SignalName): Text(
        "write the signal as `machine/signal`, by their ids", "태그를 `설비/태그` 형식의 id로 쓰십시오"
    ),
    _pattern_of(TopicId): Text("use 1 to 32 of a-z, 0-9 and -", "영문 소문자, 숫자, -로 32자 이내로 쓰십시오"),
    _pattern_of(Id): Text("use 1 to 48 of a-z, 0-9, - and _", "영문 소문자, 숫자, -, _로 48자 이내로 쓰십시오"),
}


MOST = 10_000
"""Mistakes that are explained; a file with more is no configuration."""


def problems(errors: Sequence[ErrorDetails], root: Map, model: type[BaseModel]) -> Iterator[Problem]:
    """Yield one problem for each mistake, and one more for those beyond the first ten thousand.

    A mistyped key is one mistake although pydantic sees two (an unknown key, and a missing one).

    Args:
        errors: `ValidationError.errors(include_url=False)`.
        root: The file that was validated.
        model: The model that it was validated with.
    """
    if len(errors) > MOST:
        more = len(errors) - MOST
        yield Problem(
            locate(root, errors[MOST]["loc"])[0],
            Text(f"and {more:,} more mistakes from here on", f"여기부터 잘못된 항목이 {more:,}개 더 있습니다"),
        )
        errors = errors[:MOST]
    meant = _meant(errors, root, model)
    below = collections.Counter(loc[:n] for error in errors for loc in (error["loc"],) for n in range(len(loc) + 1))
    found_by_typo = {(*loc[:-1], hint) for loc, hint in meant.items()}
    for error in errors:
        loc = error["loc"]
        if error["type"] == "missing" and loc in found_by_typo:
            continue
        if error["type"] == "too_short" and below[loc] > 1:
            continue  # pydantic counts only the items without errors
        if error["type"] == "extra_forbidden":
            text = _unknown_key(str(loc[-1]), meant.get(loc), fields_at(model, loc[:-1]))
        else:
            text = explain(error)
        if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            loc = (*loc, "type")
        line, path = locate(root, loc)
        yield Problem(line, text, path)


def _meant(errors: Sequence[ErrorDetails], root: Map, model: type[BaseModel]) -> dict[Location, str]:
    """Return by the place of each unknown key the key that was probably meant."""
    meant: dict[Location, str] = {}
    absent: dict[Location, list[str]] = {}  # by mapping: the keys that are still free
    for error in errors:
        if error["type"] == "extra_forbidden":
            loc = error["loc"]
            if loc[:-1] not in absent:
                present = _keys(root, loc[:-1])
                absent[loc[:-1]] = [name for name in fields_at(model, loc[:-1]) if name not in present]
            if hint := nearest(str(loc[-1])[:WORD], absent[loc[:-1]]):
                meant[loc] = hint
    return meant


def explain(error: ErrorDetails) -> Text:  # noqa: PLR0911 - one kind of error each
    """Return what to do about one error (unknown keys aside: those need the model)."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "value_error":
        cause = context["error"]
        text = cause.text if isinstance(cause, Complaint) else Text(str(cause), str(cause))
        return _with_strange(text, value)
    if kind == "string_pattern_mismatch":
        return _pattern(str(value), context["pattern"])
    if kind in WORD_TYPES:
        return _words(context.get("tag", value), context.get("expected_tags") or context["expected"])
    if kind == "missing" and isinstance(error["loc"][-1], int):
        return Text("one value is missing in the list", "목록의 값이 모자랍니다")
    if kind == "string_type" and (value is None or isinstance(value, (dict, list))):
        return Text("write a text", "문자로 쓰십시오")
    if kind not in TEXTS:
        return Text(error["msg"], error["msg"])
    fill = {name: f"{v:g}" if isinstance(v, float) else v for name, v in context.items()}
    fill["input"] = show(value)
    return Text(TEXTS[kind].en.format(**fill), TEXTS[kind].ko.format(**fill))


def show(value: Any) -> str:
    """Return a value as a person would write it, short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return '""'
    if isinstance(value, (dict, list)):
        return "{...}" if isinstance(value, dict) else "[...]"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown_key(key: str, hint: str | None, known: Sequence[str]) -> Text:
    if hint:
        return Text(f"unknown key; did you mean {hint}?", f"알 수 없는 항목입니다. 혹시 {hint}입니까?")
    if _NUMBER.fullmatch(key):
        return Text(
            "unknown key: after a comma the next one begins; write numbers without commas, 65536 or 1.5",
            "알 수 없는 항목입니다. 쉼표 뒤는 다음 항목이 되므로 숫자는 65536, 1.5처럼 쉼표 없이 쓰십시오",
        )
    if odd := strange(key):
        return Text(f"unknown key; it holds {odd.en}", f"알 수 없는 항목입니다({odd.ko})")
    if not known:
        return Text("unknown key: remove it", "알 수 없는 항목입니다. 지우십시오")
    listed = ", ".join(known)
    return Text(
        f"unknown key: remove it, or write one of {listed}", f"알 수 없는 항목입니다. 쓸 수 있는 항목: {listed}"
    )


def _with_strange(text: Text, value: Any) -> Text:
    """Add which characters are not what they look like; the usual cause on a Korean keyboard."""
    odd = strange(value) if isinstance(value, str) else None
    return Text(f"{text.en}; it holds {odd.en}", f"{text.ko}({odd.ko})") if odd else text


def _pattern(value: str, pattern: str) -> Text:
    rule = PATTERNS.get(pattern) or Text(f"must match {pattern}", f"형식이 맞지 않습니다: {pattern}")
    if strange(value):
        return _with_strange(rule, value)
    example = slug(value)
    if pattern in PATTERNS and example != value and re.match(pattern, example) and re.search("[a-z]", example):
        return Text(f"{rule.en}, for example {example}", f"{rule.ko}. 예: {example}")
    return rule


def _words(value: Any, expected: str) -> Text:
    """Say which words may stand here; pydantic gives them as `'a', 'b' or 'c'`."""
    known = re.findall(r"'([^']*)'", expected) or [expected]
    listed = ", ".join(known)
    if len(known) == 1:
        return Text(f"write {listed}", f"쓸 수 있는 값: {listed}")
    if isinstance(value, str) and (hint := nearest(value[:WORD], known)):
        return Text(
            f"{show(value)} is unknown here; did you mean {hint}? (one of {listed})",
            f"쓸 수 없는 값입니다({show(value)}). 혹시 {hint}입니까? (가능한 값: {listed})",
        )
    return Text(f"write one of {listed}", f"다음 중 하나로 쓰십시오: {listed}")


def _keys(root: Map, loc: Location) -> set[str]:
    here = value_at(root, loc)
    return set(here) if isinstance(here, dict) else set()


def fields_at(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[str, ...]:
    """Return the keys that may stand in the mapping at a location, as they are written in the file."""
    here: list[Any] = [model]
    for part in loc:
        here = [step for kind in here for step in _step(kind, part)]
    return tuple(
        dict.fromkeys(
            field.alias or name for kind in here if _is_model(kind) for name, field in kind.model_fields.items()
        )
    )


def _is_model(kind: Any) -> typing.TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _step(kind: Any, part: int | str) -> Iterator[Any]:
    """Yield the types that a part of a location leads to."""
    for member in members(kind):
        if isinstance(part, int):
            if typing.get_origin(member) is tuple:
                arguments = typing.get_args(member)
                yield from members(
                    arguments[0] if arguments[-1] is ... else arguments[min(part, len(arguments) - 1)]
                )
        elif _is_model(member):
            for name, field in member.model_fields.items():
                if part == (field.alias or name):
                    yield from members(field.annotation)
            if "type" in member.model_fields and part in typing.get_args(member.model_fields["type"].annotation):
                yield member  # the tag of a union


def members(kind: Any) -> Iterator[Any]:
    """Yield the members of a union, without `Annotated` around them."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from members(typing.get_args(kind)[0])
    elif origin in {typing.Union, types.UnionType}:
        for member in typing.get_args(kind):
            yield from members(member)
    else:
        yield kind

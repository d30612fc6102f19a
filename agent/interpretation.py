"""What some words of a device's memory may mean: every type and order of words side by side, and the likeliest.

A technician knows an address from a manual and not whether it counts from 0 or 1, nor the order of the words. So
`tsq-agent probe` reads a few words around it several times, and here each way to read them is judged by what it
would have said all along:

- A float of the right order has an exponent that people meet; of a wrong one it is mostly 1e-38, 1e30 or NaN.
  Values that a person has set have few digits, which hardly happens by chance.
- A value of the right order changes a little at a time; in a wrong one its low bytes weigh most, and it jumps.
- What changes in its upper words changes in its lowest as well, unless that is 0; and a word whose neighbour jumps
  about is probably the upper half of a longer value.
- A counter rises. A number whose upper word is 0 or only a sign fills its place by chance as well as by intent.
- Text has letters, a date is near today.

Each of these is worth points, which are sums of rough logarithms of how seldom it happens by chance, not measured
probabilities. So the best is called clear only when it leads by `CLEAR` points over what says something else, and
every reason is shown. Words that are all zero tell nothing, and that is said. Pure.
"""

from __future__ import annotations

import itertools
import math
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from agent.collectors.binary import Kind, Marked, Order, compile_decoder
from agent.frame import DataType
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.collectors.binary import AnyOrder
    from agent.frame import Value

Motion = Literal["constant", "counts up", "counts down", "moves", "jumps", "switches", "unknown"]
Words = tuple[int | None, ...]
"""One reading: each word as an unsigned 16-bit number, high byte first; None where the device refused it."""

ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
SWAPPED: dict[AnyOrder, Order] = {"ABCD": "BADC", "CDAB": "DCBA", "BADC": "ABCD", "DCBA": "CDAB"}
"""Of a device that sends the low byte of a word first: the order of words as numbers, and of bytes on the line."""
CLEAR = 2.0
PLAUSIBLE = 2.5
SHIFTS = (-1, 0, 1)
TEXT_WORDS = 8
_YEAR_NS = 366 * 86_400 * 10**9
_TYPES_16 = (DataType.INT16, DataType.UINT16)
_TYPES_32 = (DataType.INT32, DataType.UINT32, DataType.FLOAT32)
_TYPES_64 = (DataType.INT64, DataType.UINT64, DataType.FLOAT64)
_NUMBERS = frozenset({*_TYPES_16, *_TYPES_32, *_TYPES_64})
_SIGNED = frozenset({DataType.INT16, DataType.INT32, DataType.INT64})
_FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
_TINY = {DataType.FLOAT32: 1.2e-38, DataType.FLOAT64: 2.3e-308}

MOTIONS: dict[Motion, Text] = {
    "constant": Text("does not change", "변화 없음"),
    "counts up": Text("counts up", "증가(카운터)"),
    "counts down": Text("counts down", "감소"),
    "moves": Text("moves a little", "조금씩 변함(아날로그)"),
    "jumps": Text("jumps", "값이 튐"),
    "switches": Text("switches on and off", "켜짐/꺼짐 반복"),
    "unknown": Text("read once", "1회 읽음"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to read the words.

    Attributes:
        shift: First word, relative to the address that was asked for.
        kind: Type, order and the like, of the words as numbers.
        order: The order as the configuration writes it.
        values: What each reading says; None where the words are nothing of that kind.
        motion: How it changes.
        score: Sum of the reasons' points.
        reasons: Why.
    """

    shift: int
    kind: Kind
    order: AnyOrder
    values: tuple[Value, ...]
    motion: Motion
    score: float
    reasons: tuple[Text, ...]

    @property
    def plausible(self) -> bool:
        """Whether it deserves a look."""
        return self.score >= PLAUSIBLE


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest way to read the words.

    Attributes:
        best: It; None when the words tell nothing.
        clear: Whether nothing else comes near.
        rivals: What comes near and says something else.
        text: The same in words.
    """

    best: Candidate | None
    clear: bool
    rivals: tuple[Candidate, ...]
    text: Text


def motion(values: Sequence[Value]) -> Motion:
    """Return how a value changes from reading to reading."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return "unknown"
    if all(v == known[0] for v in known):
        return "constant"
    if any(isinstance(v, (bool, str)) for v in known):
        return "switches" if isinstance(known[0], bool) else "moves"
    numbers = [float(v) for v in known]
    steps = [b - a for a, b in itertools.pairwise(numbers)]
    most, scale = max(abs(s) for s in steps), max(1.0, *(abs(n) for n in numbers))
    if not all(math.isfinite(s) for s in steps) or (most > 0.5 * scale and most > 16):
        return "jumps"
    if all(isinstance(v, int) for v in known) and (min(steps) >= 0 or max(steps) <= 0):
        return "counts up" if min(steps) >= 0 else "counts down"
    return "moves"


def interpret(
    readings: Sequence[Words], at: int, *, now_ns: int, zone: str = "UTC", low_byte_first: bool = False
) -> list[Candidate]:
    """Return every way to read the words, in the order in which they are shown.

    Args:
        readings: Oldest first, all of the same words.
        at: Index of the word that was asked for.
        now_ns: The time, to know a date.
        zone: Time zone of dates in local time.
        low_byte_first: How the device sends a word; the orders are then named by its bytes on the line.
    """
    found = []
    ways = [motion([r[i] for r in readings]) for i in range(len(readings[0]))]
    for shift in SHIFTS:
        for kind in _kinds(zone):
            first = at + shift
            end = first + kind.registers
            cut = [r[first:end] for r in readings] if first >= 0 else []
            if cut and len(cut[0]) == kind.registers and all(None not in r for r in cut):
                beside = [*ways[max(0, first - 1) : first], *ways[end : end + 1]]
                raws = [struct.pack(f">{kind.registers}H", *r) for r in cut]
                order = SWAPPED[kind.order] if low_byte_first else kind.order
                found.append(_judged(shift, kind, raws, now_ns, beside, order))
    return found


def guess(candidates: Sequence[Candidate]) -> Guess:
    """Return the likeliest, and whether it is clear."""
    ranked = sorted(candidates, key=lambda c: (-c.score, c.kind.dtype in _SIGNED))
    if not ranked or not ranked[0].plausible:
        numbers = [c for c in candidates if c.shift == 0 and c.kind.dtype in _NUMBERS]
        zero = bool(numbers) and not any(any(c.values) for c in numbers)
        words = (
            Text(
                "all is 0 here: nothing can be told; let the machine produce a value and probe again",
                "모두 0이어서 알 수 없습니다. 설비에서 값이 나올 때 다시 읽어 보십시오",
            )
            if zero
            else Text(
                "nothing here looks like a usual value: check the address in the device's manual",
                "일반적인 값으로 보이는 것이 없습니다. 매뉴얼에서 주소를 확인하십시오",
            )
        )
        return Guess(None, clear=False, rivals=(), text=words)
    best = ranked[0]
    rivals = tuple(
        c for c in ranked[1:] if c.plausible and best.score - c.score < CLEAR and c.values != best.values
    )
    why_en, why_ko = (", ".join(r(language) for r in best.reasons) for language in ("en", "ko"))
    clear = not rivals
    name = label(best)
    head = Text("best guess", "추정") if clear else Text("perhaps", "후보")
    other = ", ".join(f"{label(c)} = {shown(c.values[-1])}" for c in rivals[:3])
    and_en, and_ko = ("", "") if clear else (f"; {other} may be right as well", f". 다른 가능성: {other}")
    value = shown(best.values[-1])
    return Guess(
        best,
        clear,
        rivals,
        Text(f"{head.en}: {name} = {value} ({why_en}){and_en}", f"{head.ko}: {name} = {value} ({why_ko}){and_ko}"),
    )


def label(candidate: Candidate) -> str:
    """Return type, order and shift as they are written: `float32 CDAB +1`."""
    kind = candidate.kind
    words = [f"bcd{kind.size * 8}" if kind.bcd else kind.moment or str(kind.dtype)]
    if kind.size > 2 or kind.order != "ABCD":
        words.append(candidate.order)
    if candidate.shift:
        words.append(f"{candidate.shift:+d}")
    return " ".join(words)


def shown(value: Value) -> str:
    """Return a value in few columns."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:.10g}" if 1e6 <= abs(value) < 1e10 else f"{value:.6g}"  # a counter beside its display
    return str(value) or '""'


def _kinds(zone: str) -> Iterator[Kind]:
    for order in ("ABCD", "BADC"):
        yield from (Kind(t, order) for t in _TYPES_16)
        yield Kind(DataType.UINT16, order, bcd=True)
    for order in ORDERS:
        yield from (Kind(t, order) for t in (*_TYPES_32, *_TYPES_64))
        yield Kind(DataType.UINT32, order, bcd=True)
        yield Kind(DataType.TIMESTAMP, order, moment="unix_s")
        yield Kind(DataType.TIMESTAMP, order, moment="iec61131_dt", zone=zone)
        yield Kind(DataType.TIMESTAMP, order, moment="unix_ms")
    for order in ("ABCD", "BADC"):
        for encoding in ("ascii", "cp949"):
            yield Kind(DataType.STRING, order, length=2 * TEXT_WORDS, encoding=encoding)  # type: ignore[arg-type]
        yield Kind(DataType.TIMESTAMP, order, moment="bcd6", zone=zone)  # type: ignore[arg-type]
    yield Kind(DataType.TIMESTAMP, moment="siemens_dt", zone=zone)
    yield Kind(DataType.TIMESTAMP, moment="words6", zone=zone)


def _judged(
    shift: int, kind: Kind, raws: Sequence[bytes], now_ns: int, beside: Sequence[Motion], order: AnyOrder
) -> Candidate:
    decode = compile_decoder([(0, 0)], len(raws[0]), [kind])
    decoded = [decode(raw)[0] for raw in raws]
    values = tuple(v.value if isinstance(v, Marked) else v for v in decoded)
    how = motion(values)
    reasons: list[tuple[float, Text]] = []
    if kind.dtype is DataType.STRING:
        reasons += _text_points(values, kind)
    elif kind.dtype is DataType.TIMESTAMP:
        reasons += _time_points(values, now_ns)
    elif any(values):  # zero says nothing
        judge = _float_points if kind.dtype in _FLOATS else partial(_integer_points, bcd=kind.bcd)
        reasons += judge(values, kind)
        reasons += _motion_points(how, kind)
        reasons += _part_points(kind, raws, how, beside)
    if shift and sum(points for points, _ in reasons) > 0:
        reasons.append((-2.0, Text(f"one word beside the address ({shift:+d})", f"주소에서 {shift:+d}워드")))
    score = sum(points for points, _ in reasons)
    return Candidate(shift, kind, order, values, how, score, tuple(text for _, text in reasons))


def _float_points(values: Sequence[Value], kind: Kind) -> Iterator[tuple[float, Text]]:
    numbers = [float(v) for v in values if isinstance(v, float)]
    if not all(math.isfinite(n) for n in numbers):
        yield -10, Text("NaN or infinite", "숫자 아님(NaN, 무한대)")
        return
    sizes = [abs(n) for n in numbers if n]
    wide = kind.dtype is DataType.FLOAT64
    if any(s < _TINY[kind.dtype] for s in sizes):
        yield -10, Text("denormal: no device sends that", "비정규 수: 실제 값일 수 없음")
    elif min(sizes) < 1e-7 or max(sizes) > 1e12:
        yield -8, Text("far outside what is measured", "측정값으로 볼 수 없는 크기")
    elif min(sizes) >= 1e-3 and max(sizes) <= 1e7:
        yield (7 if wide else 4), Text("of a usual size", "흔한 크기의 값")
    else:
        yield 0.5, Text("of an unusual size", "드문 크기의 값")
    if all(len(_digits(n, wide=wide)) <= 5 for n in numbers if n):
        yield (4 if wide else 3), Text("few digits", "자릿수가 짧음")


def _digits(number: float, *, wide: bool) -> str:
    """Return the significant digits of the shortest number that the device's float can mean."""
    if wide:
        text = repr(number)
    else:
        text = next(
            t for p in range(1, 10) if struct.pack("f", float(t := f"{number:.{p}g}")) == struct.pack("f", number)
        )
    mantissa = text.lower().partition("e")[0]
    return mantissa.replace(".", "").replace("-", "").strip("0")


def _integer_points(values: Sequence[Value], kind: Kind, *, bcd: bool) -> Iterator[tuple[float, Text]]:
    numbers = [v for v in values if isinstance(v, int)]
    if len(numbers) < len(values):
        yield -10, Text("a digit above 9", "9보다 큰 자리 있음(BCD 아님)")
        return
    most = max(abs(n) for n in numbers)
    bits = kind.size * 8
    if bcd:
        yield (1.0 if bits == 16 else 2.0) if most > 9 else 0.0, Text("each digit is 0 to 9", "모든 자리가 0~9")
        return
    if bits == 16:
        fits = 2.5 if most <= 30_000 and kind.order == "ABCD" else 1.0 if most <= 1000 else 0.0
        if kind.dtype is DataType.INT16 and min(numbers) < 0:
            fits = 2.6 if most <= 5000 and kind.order == "ABCD" else 0.0
        yield fits, Text("fits one word", "1워드 값으로 적당")
        return
    upper_empty = most < 2**15 if min(numbers) < 0 else most < 2**16
    small = most < 2 ** (bits // 2 - 2) or (bits == 32 and most <= 10**7)
    if upper_empty:
        yield 2.6 if bits == 32 else 1.0, Text("the upper word is empty", "상위 워드가 비어 있음")
    elif small:
        yield 3.5, Text("of a usual size", "흔한 크기의 값")
    else:
        yield -4, Text("very large", "값이 지나치게 큼")


def _motion_points(how: Motion, kind: Kind) -> Iterator[tuple[float, Text]]:
    match how:
        case "counts up" if kind.dtype not in _FLOATS:
            yield (1.0 if kind.bcd else 3.0), MOTIONS[how]
        case "moves" | "counts down":
            yield 1.5, MOTIONS[how]
        case "jumps":
            yield -4, MOTIONS[how]
        case _:
            pass


def _part_points(
    kind: Kind, raws: Sequence[bytes], how: Motion, beside: Sequence[Motion]
) -> Iterator[tuple[float, Text]]:
    """Judge whether the words belong together: they change together, and their neighbours do not."""
    if kind.size == 2:
        if "jumps" in beside and how != "jumps":
            yield (
                -2,
                Text(
                    "the word beside it jumps: perhaps a part of a longer value",
                    "옆 워드의 값이 튐(일부일 수 있음)",
                ),
            )
        return
    words = [raw[-2:] if kind.order in {"ABCD", "BADC"} else raw[:2] for raw in raws]
    if how not in {"constant", "unknown"} and len(set(words)) == 1 and any(words[0]):
        yield -5, Text("only its upper part changes", "상위 부분만 변함")


def _text_points(values: Sequence[Value], kind: Kind) -> Iterator[tuple[float, Text]]:
    texts = [v for v in values if isinstance(v, str)]
    if len(texts) < len(values) or any(not t.isprintable() for t in texts) or not all(texts):
        yield -10, Text("no text", "문자열 아님")
        return
    shortest = min(texts, key=len)
    try:
        shortest.encode("euc-kr")  # the syllables in use; cp949 holds 8,000 more, which chance finds
    except UnicodeEncodeError:
        yield -5, Text("hardly text", "문자열로 보기 어려움")
        return
    letters = len({c for c in shortest if c.isalnum() and (c.isascii() or "가" <= c <= "힣")})
    foreign = sum(not c.isascii() and not "가" <= c <= "힣" for c in shortest)
    if len(shortest) < 3 or foreign or letters < 0.5 * len(shortest):
        yield -1, Text("hardly text", "문자열로 보기 어려움")
        return
    korean = any(not c.isascii() for c in shortest)
    if korean == (kind.encoding == "cp949"):
        yield min(10.0, 1.5 * letters), Text("letters", "읽을 수 있는 문자")


def _time_points(values: Sequence[Value], now_ns: int) -> Iterator[tuple[float, Text]]:
    times = [v for v in values if isinstance(v, int)]
    if len(times) < len(values) or any(abs(t - now_ns) > _YEAR_NS for t in times):
        yield -10, Text("no date near today", "오늘에 가까운 날짜 아님")
        return
    off = max(abs(t - now_ns) for t in times)
    if off < 86_400 * 10**9:
        yield 9, Text("a time of today", "오늘 시각")
    else:
        yield 3.2, Text("a date within a year", "1년 이내 날짜")

"""What `tsq-agent probe` shows: the words as they are, then every type in every order, then what it probably is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box as boxes
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text as Styled

from agent.cli.table import clean
from agent.cli.words import status_text
from agent.frame import DataType
from agent.interpretation import MOTIONS, ORDERS, SHIFTS, SWAPPED, label, motion, shown
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from agent.cli.probing import Seen, Window
    from agent.collectors.binary import Kind, Order
    from agent.frame import Value
    from agent.interpretation import Candidate, Guess
    from settings.language import Language

WIDE = 12
_BEST, _FITS, _PLAIN, _FAINT = "bold reverse", "bold", "", "dim"
_ONE_WORD: Sequence[tuple[DataType, Order, bool]] = (
    (DataType.UINT16, "ABCD", False),
    (DataType.INT16, "ABCD", False),
    (DataType.UINT16, "BADC", False),
    (DataType.UINT16, "ABCD", True),
)
_ROWS: Sequence[tuple[str, DataType, bool]] = (
    ("int32", DataType.INT32, False),
    ("uint32", DataType.UINT32, False),
    ("float32", DataType.FLOAT32, False),
    ("bcd32", DataType.UINT32, True),
    ("int64", DataType.INT64, False),
    ("uint64", DataType.UINT64, False),
    ("float64", DataType.FLOAT64, False),
)


def report(
    what: Window, seen: Seen, candidates: Sequence[Candidate], told: Guess, language: Language
) -> RenderableType:
    """Return all of it, for a terminal of 80 columns."""
    parts: list[RenderableType] = [head(what, seen, language), ""]
    if what.bits:
        return Group(*parts, _bits(what, seen, language))
    best = told.best
    parts += [_words(what, seen, candidates, best, language), ""]
    if seen.readings[-1][what.at] is None:
        why = status_text(seen.status[what.at])(language)
        return Group(*parts, Styled(f"{what.address}: {why}", "bold"))
    parts.append(_orders(what, candidates, best, language))
    odd = [c for c in candidates if c.plausible and c.kind.dtype in {DataType.STRING, DataType.TIMESTAMP}]
    parts += [Styled(f"  {_mark(c, best)} {label(c)}: {_cell(c.values[-1], c.kind)}", _style(c, best)) for c in odd]
    note = Text(
        "* best guess   + plausible   -1/+1: one word beside the address",
        "* 추정값   + 가능한 값   -1/+1: 주소의 앞뒤 워드",
    )
    parts += [Styled(note(language), _FAINT), "", Styled(clean(told.text(language)), "bold")]
    return Group(*parts)


def head(what: Window, seen: Seen, language: Language) -> Styled:
    """Return who was asked for what, and how it answered."""
    n, ms = len(seen.readings), "-" if seen.rtt_ns is None else f"{seen.rtt_ns / 1e6:.1f}"
    device = what.device
    place = getattr(device, "place", None) or getattr(device, "host", "")
    address = device.groups[0].signals[what.at].where()
    return Styled(
        Text(
            f"{device.id} ({place})  {address}: {n} readings, {ms} ms a request",
            f"{device.id} ({place})  {address}: {n}회 읽음, 요청당 {ms} ms",
        )(language),
        "bold",
    )


def _words(
    what: Window, seen: Seen, candidates: Sequence[Candidate], best: Candidate | None, language: Language
) -> Table:
    titles = Text(" ,word,hex,uint16,int16,swapped,bcd16,", " ,주소,16진,uint16,int16,바이트교환,bcd16,")
    out = _table(titles(language).split(","), left={0, 1, 7})
    by_name = {(c.shift, c.kind.dtype, c.kind.order, c.kind.bcd): c for c in candidates}
    for i, address in enumerate(where.rpartition(":")[2] for where in what.labels):
        shift, word = i - what.at, seen.readings[-1][i]
        if word is None:
            why = status_text(seen.status[i])(language)
            out.add_row(_shift(shift), address, "-", "-", "-", "-", "-", why, style=_FAINT)
            continue
        assert isinstance(word, int)
        cells = [_shown(by_name.get((shift, *way)), best) for way in _ONE_WORD]
        if shift not in SHIFTS:  # shown for orientation, not judged
            signed, swapped = word - 0x10000 * (word >> 15), (word & 0xFF) << 8 | word >> 8
            cells = [Styled(str(n)) for n in (word, signed, swapped)] + [Styled("")]
        how = MOTIONS[motion([row[i] for row in seen.readings])](language)
        out.add_row(_shift(shift), address, f"{word:04X}", *cells, how, style=_PLAIN if shift == 0 else _FAINT)
    return out


def _orders(what: Window, candidates: Sequence[Candidate], best: Candidate | None, language: Language) -> Table:
    named = [SWAPPED[order] if what.low_byte_first else order for order in ORDERS]
    out = _table(["", Text("type", "자료형")(language), *named], left={0, 1})
    for shift in SHIFTS:
        here = {(c.kind.dtype, c.kind.bcd, c.kind.order): c for c in candidates if c.shift == shift}
        if what.at + shift < 0:
            continue
        for name, dtype, bcd in _ROWS:
            found = [here.get((dtype, bcd, order)) for order in ORDERS]
            if shift and not any(c and c.plausible for c in found):
                continue  # beside the address, only what deserves a look
            cells = [_shown(c, best) for c in found]
            out.add_row(_shift(shift), name, *cells, style=_PLAIN if shift == 0 else _FAINT)
    return out


def _bits(what: Window, seen: Seen, language: Language) -> Table:
    titles = Text(" ,address,value,changes,seen", " ,주소,값,변화,읽은 값")
    out = _table(titles(language).split(","), left={0, 1, 2, 3, 4})
    for i, address in enumerate(what.labels):
        row = [reading[i] for reading in seen.readings]
        if row[-1] is None:
            out.add_row(_shift(i - what.at), address, "-", status_text(seen.status[i])(language), "")
            continue
        past = "".join(shown(v) for v in row)
        out.add_row(
            _shift(i - what.at), address, shown(row[-1]), MOTIONS[motion(row)](language), past,
            style=_FITS if i == what.at else _PLAIN,
        )  # fmt: skip
    return out


def _table(titles: Sequence[str], left: set[int]) -> Table:
    out = Table(box=boxes.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="")
    for i, title in enumerate(titles):
        words = i > 1 and i in left  # why an address was refused may take two lines; numbers keep their columns
        out.add_column(title, justify="left" if i in left else "right", no_wrap=not words)
    return out


def _shift(shift: int) -> str:
    return ">" if shift == 0 else f"{shift:+d}"


def _mark(candidate: Candidate | None, best: Candidate | None) -> str:
    if candidate is None:
        return " "
    return "*" if candidate is best else "+" if candidate.plausible else " "


def _style(candidate: Candidate | None, best: Candidate | None) -> str:
    if candidate is None:
        return _FAINT
    return _BEST if candidate is best else _FITS if candidate.plausible else _FAINT


def _shown(candidate: Candidate | None, best: Candidate | None) -> Styled:
    if candidate is None:
        return Styled("-", _FAINT)
    return Styled(_mark(candidate, best) + _cell(candidate.values[-1], candidate.kind), _style(candidate, best))


def _cell(value: Value, kind: Kind) -> str:
    if kind.dtype is DataType.TIMESTAMP and isinstance(value, int):
        import datetime as dt  # noqa: PLC0415

        return f"{dt.datetime.fromtimestamp(value / 1e9, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    text = shown(value)
    if isinstance(value, int) and len(text) > WIDE:
        return f"{value:.4e}"
    return clean(text)


def console(width: int | None = None, *, record: bool = False) -> Console:
    """Return where it is printed: colours only on a terminal, at least 80 columns in a pipe."""
    return Console(highlight=False, emoji=False, markup=False, width=width, record=record)

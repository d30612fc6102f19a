"""Rows of a file, in batches of columns, without ever holding the file: CSV and Parquet.

A CSV file may begin with lines of its own; its heading is the first line, of the first fifty, that holds what is
looked for. Its encoding is told by its beginning and may be CP949 from the first Korean letter on, however late
that comes. Parquet needs pyarrow (`techsquare-edge[assess]`).
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.importing import encoding
from settings.errors import ConfigError
from settings.language import Complaint, Text
from settings.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from settings.language import Language

CHUNK = 1 << 20
CELLS = 1 << 16
"""In one batch, all columns together."""
FIRST = 64
"""Rows of the first batch: whoever only wants to know when a file begins reads no more."""
HEAD_LINES = 50
CELL_LIMIT = 1 << 20
MAGIC = b"PAR1"
SPREADSHEETS = {b"PK\x03\x04": ".xlsx", b"\xd0\xcf\x11\xe0": ".xls"}
TITLE_LINES = 5
"""Of a heading whose cells have several lines."""
_DATA = re.compile(r"[+-]?[0-9]+([.,:/-][0-9]|$)|[12][0-9]{3}[년.]")
"""How cells of data begin: a number, a date, a time of day."""
_DELIMITERS = (",", "\t", ";", "|")


class Batch(NamedTuple):
    """Consecutive rows: heading -> cells, and the line of the file that each stands on (in Parquet its number)."""

    lines: Sequence[int]
    cells: Mapping[str, Sequence[Any]]


class Wanted(NamedTuple):
    """Headings that a file must have, all of `every` and at least one of `some` (when there is any)."""

    every: tuple[str, ...]
    some: frozenset[str]

    def fits(self, titles: Collection[str]) -> bool:
        """Return whether a line of titles is the heading."""
        return all(name in titles for name in self.every) and (not self.some or any(t in self.some for t in titles))


class Table:
    """One file.

    Args:
        path: Of the file.
        wanted: What its heading must have.
        language: Of complaints.
        advance: Is told how many bytes were read.
    """

    def __init__(self, path: Path, wanted: Wanted, language: Language, advance: Callable[[int], None]) -> None:
        self.path = path
        self.titles: tuple[str, ...] = ()
        self.delimiter: str | None = None
        self._wanted = wanted
        self._language: Language = language
        self._advance = advance

    def batches(self) -> Iterator[Batch]:
        """Yield its rows.

        Raises:
            ConfigError: it cannot be read, with file and line.
        """
        try:
            with self.path.open("rb") as file:
                magic = file.read(len(MAGIC))
            if (kind := SPREADSHEETS.get(magic)) is not None:
                text = Text(
                    f"is a spreadsheet ({kind}): save it as CSV (UTF-8)",
                    f"엑셀 파일({kind})입니다. 'CSV UTF-8'로 저장하십시오",
                )
                raise ConfigError(f"{self.path}: {text(self._language)}")
            yield from self._parquet() if magic == MAGIC else self._csv()
        except OSError as exc:
            raise ConfigError(f"{self.path}: {exc.strerror or exc}") from exc

    def complain(self, line: int, en: str, ko: str) -> ConfigError:
        """Return an error at a line."""
        return ConfigError(f"{self.path}:{line}: {Text(en, ko)(self._language)}")

    def _csv(self) -> Iterator[Batch]:
        csv.field_size_limit(CELL_LIMIT)
        lines = self._lines()
        head = list(itertools.islice(lines, HEAD_LINES))
        above = self._find_heading(head)
        assert self.delimiter is not None
        used = {t: i for i, t in enumerate(self.titles) if t in self._wanted.every or t in self._wanted.some}
        reader = csv.reader(itertools.chain(head[above:], lines), delimiter=self.delimiter)
        done, rows_most = above, FIRST
        while True:
            try:
                rows = list(itertools.islice(reader, rows_most))
            except csv.Error as exc:
                raise self.complain(above + reader.line_num, str(exc), f"CSV 오류({exc})") from exc
            if not rows:
                return
            numbers: Sequence[int] = range(done + 1, done + 1 + len(rows))
            done += len(rows)
            if done != above + reader.line_num:  # cells of several lines
                numbers = self._numbered(rows, done - len(rows))
                done = above + reader.line_num
            if set(map(len, rows)) != {len(self.titles)}:
                rows, numbers = self._even(rows, numbers)
            if rows:
                columns = list(zip(*rows, strict=True))
                yield Batch(numbers, {title: columns[index] for title, index in used.items()})
            rows_most = max(1, CELLS // max(1, len(self.titles)))

    def _find_heading(self, head: Sequence[str]) -> int:
        """Take the first line that is a heading, with its cells of several lines; return how many lines it ends."""
        for index, line in enumerate(head):
            end = index + 1
            while line.count('"') % 2 and end < min(len(head), index + TITLE_LINES):
                line += head[end]  # noqa: PLW2901
                end += 1
            if self._heading(line, index + 1):
                return end
        raise self._no_heading(head)

    def _heading(self, line: str, number: int) -> bool:
        """Take a line as heading if it is one."""
        for delimiter in sorted(_DELIMITERS, key=line.count, reverse=True):
            titles = _titles(line, delimiter)
            if not self._wanted.fits(titles) and not self._wanted.fits(_numbered(titles)):
                continue
            wanted = [t for t in titles if t in self._wanted.every or t in self._wanted.some]
            if doubles := sorted({t for t in wanted if wanted.count(t) > 1}):
                one = doubles[0]
                raise self.complain(
                    number,
                    f"column {one} stands twice: write {one} (1) for the first, {one} (2) for the second",
                    f"같은 열이 두 번 있습니다({one}). 앞에서부터 {one} (1), {one} (2)로 쓰십시오",
                )
            self.titles, self.delimiter = tuple(_numbered(titles)), delimiter
            return True
        return False

    def _no_heading(self, head: Sequence[str]) -> ConfigError:
        """Return what is missing in the line that is most like a heading: the first of the widest ones."""
        rows = [max((_titles(line, each) for each in _DELIMITERS), key=len) for line in head] or [[]]
        titles = max(rows, key=len)
        missing = [name for name in self._wanted.every if name not in titles] or sorted(self._wanted.some)
        hint = nearest(missing[0], titles) if titles else None
        shown = ", ".join(titles[:20])
        if any(_DATA.match(title) for title in titles):
            return self.complain(
                rows.index(titles) + 1,
                f"no line with the names of the columns ({missing[0]}): this one looks like data ({shown}). "
                "Put a line with names above it",
                f"열 이름 줄이 없습니다({missing[0]}). 맨 위에 넣으십시오. 이 줄은 데이터로 보입니다: {shown}",
            )
        return self.complain(
            rows.index(titles) + 1,
            f"no column {missing[0]}" + (f", did you mean {hint}?" if hint else ".") + f" There are: {shown}",
            f"열이 없습니다({missing[0]})." + (f" 혹시 {hint}입니까?" if hint else "") + f" 있는 열: {shown}",
        )

    def _numbered(self, rows: Sequence[Sequence[str]], before: int) -> list[int]:
        heights = (1 + sum(cell.count("\n") for cell in row) for row in rows)
        ends = list(itertools.accumulate(heights, initial=before))
        return [end + 1 for end in ends[:-1]]

    def _even(self, rows: list[list[str]], numbers: Sequence[int]) -> tuple[list[list[str]], list[int]]:
        """Leave out empty lines; refuse rows of another width."""
        kept: list[list[str]] = []
        lines: list[int] = []
        width = len(self.titles)
        for row, line in zip(rows, numbers, strict=True):
            if not any(cell.strip() for cell in row):
                continue
            if len(row) == width + 1 and not row[-1]:  # a delimiter at the end of the line
                row = row[:-1]  # noqa: PLW2901
            if len(row) != width:
                raise self.complain(
                    line,
                    f"{len(row)} cells under a heading of {width}: is the file cut off, or a comma not quoted?",
                    f"제목은 {width}열인데 {len(row)}열입니다. 파일이 잘렸거나 쉼표가 따옴표 없이 들어 있습니다",
                )
            kept.append(row)
            lines.append(line)
        return kept, lines

    def _lines(self) -> Iterator[str]:
        """Yield the lines of a text file with their ends, decoded."""
        number = 0
        for chunk in self._texts():
            found = chunk.split("\n")
            last = found.pop()
            for line in found:
                yield f"{line}\n"
            number += len(found)
            if last:
                yield last

    def _texts(self) -> Iterator[str]:
        """Yield whole lines of text, about a megabyte at a time."""
        with self.path.open("rb") as file:
            begin = file.read(CHUNK)
            if begin[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in begin[:400]:
                yield from self._wide(begin)
                return
            codec, plain, number, rest = "utf-8", True, 1, begin.removeprefix(b"\xef\xbb\xbf")
            self._advance(len(begin))
            while rest:
                more = file.read(CHUNK)
                self._advance(len(more))
                cut = rest.rfind(b"\n") + 1 if more else len(rest)
                raw, rest = rest[:cut], rest[cut:] + more
                try:
                    text = raw.decode(codec)
                except UnicodeDecodeError as exc:
                    if codec != "utf-8" or not plain or not raw[: exc.start].isascii():
                        raise self._undecodable(raw, exc, number) from None
                    codec = "cp949"
                    try:
                        text = raw.decode(codec)
                    except UnicodeDecodeError as other:
                        raise self._undecodable(raw, other, number) from None
                plain = plain and text.isascii()
                number += raw.count(b"\n")
                if "\0" in text:
                    raise self.complain(
                        number, "holds zero bytes: no text file", "0 바이트가 있어 텍스트 파일이 아닙니다"
                    )
                yield text

    def _wide(self, begin: bytes) -> Iterator[str]:
        """UTF-16, as spreadsheets write "Unicode text"."""
        try:
            name = encoding.decode(begin[: len(begin) // 2 * 2][:4096])[1]
        except Complaint as exc:
            raise ConfigError(f"{self.path}: {exc.text(self._language)}") from exc
        codec = "utf-16-be" if name.endswith("BE") else "utf-16-le"
        try:
            with self.path.open("r", encoding=codec, newline="") as file:
                rest = ""
                while more := file.read(CHUNK):
                    self._advance(2 * len(more))
                    whole, _, rest = (rest + more.removeprefix("\ufeff")).rpartition("\n")
                    if whole or not rest:
                        yield f"{whole}\n"
                if rest:
                    yield rest
        except UnicodeDecodeError as exc:
            raise ConfigError(f"{self.path}: {exc}") from exc

    def _undecodable(self, raw: bytes, exc: UnicodeDecodeError, number: int) -> ConfigError:
        return self.complain(
            number + raw.count(b"\n", 0, exc.start),
            "neither UTF-8, UTF-16 nor CP949 text: is this a CSV file? Save it as CSV (UTF-8)",
            "UTF-8, UTF-16, CP949 어느 것으로도 읽을 수 없습니다. CSV(UTF-8)로 다시 저장하십시오",
        )

    def _parquet(self) -> Iterator[Batch]:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and half a second
        import pyarrow.parquet as pq  # noqa: PLC0415

        try:
            file = pq.ParquetFile(self.path)
            self.titles = tuple(file.schema_arrow.names)
            if not self._wanted.fits(self.titles):
                raise self._no_heading([",".join(self.titles)])
            names = [t for t in self.titles if t in self._wanted.every or t in self._wanted.some]
            done, share = 0, self.path.stat().st_size / max(1, file.metadata.num_rows)
            for found in file.iter_batches(max(1, CELLS // len(names)), columns=names):
                cells = {name: _plain(found.column(name), pa) for name in names}
                yield Batch(range(done + 1, done + 1 + found.num_rows), cells)
                done += found.num_rows
                self._advance(round(found.num_rows * share))
        except pa.ArrowException as exc:
            raise ConfigError(f"{self.path}: {exc}") from exc


def _titles(line: str, delimiter: str) -> list[str]:
    try:
        found = next(csv.reader(line.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        return []
    return [" ".join(title.split()) for title in found]


def _numbered(titles: Sequence[str]) -> list[str]:
    """Return the titles, those that come again with a number: under a heading of two lines, names repeat."""
    count: Counter[str] = Counter()
    found = []
    for title in titles:
        count[title] += 1
        found.append(f"{title} ({count[title]})" if titles.count(title) > 1 else title)
    return found


def _plain(column: Any, pa: Any) -> Sequence[Any]:
    """Return a Parquet column as Python has it: instants as integer nanoseconds, local times as text."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            column = column.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
        else:
            column = column.cast(pa.string())
    elif pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
    elif pa.types.is_date(kind) or pa.types.is_time(kind):
        column = column.cast(pa.string())
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    found: Sequence[Any] = column.to_pylist()
    return found

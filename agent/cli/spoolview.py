"""What the spool's numbers mean for a person: how full, how old, how long it lasts, how fast it wears the disk.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.cli.watching.model import span_words
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = 4096
DAY_S = 86_400
YEAR_S = 365.25 * DAY_S
SETTLED_S = 600  # before that, a rate of writing is the start's
ENOUGH_ROWS = 10_000  # below that, bytes a row say nothing
USUAL_ROW = 2.5  # bytes, where nothing waits to be measured


def size_words(size: float) -> str:
    """Return a number of bytes in at most seven columns: `812 B`, `1.3 MB`, `240 GB`."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale * 0.9995:
            value = size / scale
            return f"{value:.0f} {unit}" if value >= 99.95 else f"{value:.1f} {unit}"
    return f"{size:.0f} B"


def lines(answer: Mapping[str, Any], endurance: float) -> Iterator[Text]:
    """Yield what a technician reads.

    Args:
        answer: Of the verb `spool`.
        endurance: Bytes that the disk may be written over its life.
    """
    spool, place = answer["spool"], answer["storage"]
    now, running = int(answer["time"]), float(answer["running_s"])
    yield Text(
        f"spool {spool['spool']} in {place['directory']}",
        f"저장 대기 데이터 {spool['spool']} ({place['directory']})",
    )
    yield _waiting(spool, now)
    if spool["held_entries"]:
        held = spool["held_entries"]
        yield Text(
            f"held back: {held} entries until the clock can be trusted",
            f"시각이 확인될 때까지 보류: {held}묶음",
        )
    yield Text(
        f"in memory: {spool['ring_rows']} rows until the next commit",
        f"메모리: {spool['ring_rows']}건(다음 기록 대기)",
    )
    yield from _room(spool, place, now, running)
    yield from _wear(spool, place, running, endurance)
    yield _lost(spool)


def _waiting(spool: Mapping[str, Any], now: int) -> Text:
    entries, rows = spool["entries"], spool["rows"]
    if not entries:
        return Text("nothing waits for the gateway", "저장 대기 없음(모두 저장 확인됨)")
    oldest = spool["oldest_ns"]
    age = span_words(None if oldest is None else max(0, now - int(oldest)))
    return Text(
        f"waiting: {entries} entries, {rows} rows, oldest {age}",
        f"저장 대기: {entries}묶음, {rows}건, 가장 오래된 것 {age} 전",
    )


def _room(spool: Mapping[str, Any], place: Mapping[str, Any], now: int, running: float) -> Iterator[Text]:
    used, most, free = spool["bytes"], place["max_size"], place["free"]
    parts = ", ".join(
        f"{name} {size_words(spool[key])}"
        for name, key in (("journal", "journal_bytes"), ("blocks", "block_bytes"))
        if spool.get(key)
    )
    inside = f" ({parts})" if parts else ""
    inside_ko = inside.replace("journal", "저널").replace("blocks", "블록")
    yield Text(
        f"on disk: {size_words(used)} of {size_words(most)}{inside}; the disk has {size_words(free)} free, "
        f"{size_words(place['min_free'])} are left to others",
        f"디스크: {size_words(most)} 중 {size_words(used)} 사용{inside_ko}. 디스크 여유 {size_words(free)}, "
        f"그중 {size_words(place['min_free'])}은 비워 둠",
    )
    rate = spool["committed_rows"] / running if running > 0 else 0.0
    if rate > 0:
        row = used / spool["rows"] if spool["rows"] >= ENOUGH_ROWS else USUAL_ROW
        room = max(0, min(most - used, free - place["min_free"]))
        age = 0 if spool["oldest_ns"] is None else max(0, now - int(spool["oldest_ns"]))
        seconds = min(room / (rate * row), max(0, place["max_age"] - age) / 1e9)
        lasts = span_words(round(seconds * 1e9))
        yield Text(
            f"without a gateway: about {lasts} more at {rate:.0f} rows/s",
            f"게이트웨이 없이 버틸 수 있는 시간: 약 {lasts}(초당 {rate:.0f}건 기준)",
        )


def _wear(spool: Mapping[str, Any], place: Mapping[str, Any], running: float, endurance: float) -> Iterator[Text]:
    written = spool["written_pages"] * PAGE
    span = span_words(round(running * 1e9))
    if running < SETTLED_S:
        yield Text(
            f"written: {size_words(written)} in {span}; ask again after 10 minutes for the wear",
            f"기록량: {span} 동안 {size_words(written)}. 마모는 10분 뒤에 다시 확인하십시오",
        )
        return
    day = written / running * DAY_S
    years = endurance / day * DAY_S / YEAR_S if day else float("inf")
    shown = f"{years:.0f}" if years < 1000 else "> 1000"
    yield Text(
        f"written: {size_words(written)} in {span}, {size_words(day)} a day; a disk rated for "
        f"{size_words(endurance)} written lasts {shown} years at that (--endurance for yours)",
        f"기록량: {span} 동안 {size_words(written)}, 하루 {size_words(day)}. 쓰기 수명 {size_words(endurance)}인 "
        f"디스크라면 {shown}년(--endurance로 변경)",
    )
    if (worn := place.get("worn")) is not None:
        yield Text(f"the disk says of itself: {worn} % of its life used", f"디스크 자체 보고: 수명 {worn} % 사용")


def _lost(spool: Mapping[str, Any]) -> Text:
    dropped, ring, refused = spool["dropped_rows"], spool["ring_lost_rows"], spool["rejected_rows"]
    if not (dropped or ring or refused):
        return Text("since the start: nothing given up", "시작 후 버린 데이터 없음")
    return Text(
        f"since the start, each inside a recorded gap: {dropped} rows given up for want of room, {ring} never "
        f"committed, {refused} refused by the store",
        f"시작 후 잃은 값(모두 수집 공백으로 기록됨): 공간 부족으로 버림 {dropped}건, 디스크에 쓰지 못함 {ring}건, "
        f"저장소 거부 {refused}건",
    )

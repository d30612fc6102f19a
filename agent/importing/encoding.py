"""The text of a file whose encoding nobody has written down. Pure.

XG5000 writes CP949 (EUC-KR is a part of it); Excel and editors write UTF-8 with a byte order mark, UTF-16 in either
order, or plain UTF-8. A byte order mark decides; without one, strict UTF-8 is tried before CP949, because Korean
text in CP949 is hardly ever valid UTF-8.
"""

from __future__ import annotations

import codecs

from settings.language import Complaint

MOST_BYTES = 20_000_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (BOM)"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 BE"),
)
_UNMARKED = (("utf-8", "UTF-8"), ("cp949", "CP949"))


def decode(raw: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding.

    Raises:
        Complaint: too large, or text of no encoding in use.
    """
    if len(raw) > MOST_BYTES:
        raise Complaint(
            f"the file has {len(raw) / 1e6:.0f} MB, at most {MOST_BYTES / 1e6:.0f} are read: is it the right one?",
            f"파일이 너무 큽니다({len(raw) / 1e6:.0f} MB, 최대 {MOST_BYTES / 1e6:.0f} MB). 맞는 파일입니까?",
        )
    for mark, codec, name in _MARKS:
        if raw.startswith(mark):
            return _strict(raw, codec, name), name
    if (wide := _wide(raw)) is not None:
        name = wide.upper().replace("UTF-16-", "UTF-16 ")
        return _strict(raw, wide, name), name
    for codec, name in _UNMARKED:
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        return _clean(text), name
    raise _unreadable(raw, "cp949")


def _wide(raw: bytes) -> str | None:
    """Return which UTF-16 it is when every other byte at the beginning is zero, as with Latin letters."""
    head = raw[:400]
    if len(head) < 4 or b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and odd > 3 * even:
        return "utf-16-le"
    if even > len(head) // 8 and even > 3 * odd:
        return "utf-16-be"
    return None


def _strict(raw: bytes, codec: str, name: str) -> str:
    try:
        return _clean(raw.decode(codec))
    except UnicodeDecodeError as exc:
        raise Complaint(
            f"the file begins as {name} and does not go on so: it is damaged, export it again",
            f"{name}로 시작하지만 내용이 손상되었습니다. 다시 내보내십시오",
        ) from exc


def _clean(text: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Complaint(
            f"line {line} holds zero bytes: this is no text file",
            f"{line}행에 0 바이트가 있습니다. 텍스트 파일이 아닙니다",
        )
    return text


def _unreadable(raw: bytes, codec: str) -> Complaint:
    try:
        raw.decode(codec)
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        return Complaint(
            f"line {line} is neither UTF-8, UTF-16 nor CP949 text: is this a CSV file? Save it as CSV (UTF-8)",
            f"{line}행을 UTF-8, UTF-16, CP949 어느 것으로도 읽을 수 없습니다. CSV(UTF-8)로 다시 저장하십시오",
        )
    raise AssertionError

"""Which set may follow which: serials grow, and what was accepted once is named for ever by its hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from answers.load import Given


def refused(new: Given, last: Given | None) -> Text | None:
    """Return why a set cannot follow the last one of its source, or None if it can; the same again can."""
    if last is None or new.digest == last.digest or new.answers.serial > last.answers.serial:
        return None
    was, now = last.answers.serial, new.answers.serial
    if was == now:
        return Text(
            f"serial {now} is already in force with other answers: raise it to {now + 1} with each change",
            f"serial {now}은(는) 다른 내용으로 이미 적용되었습니다. 바꿀 때마다 올리십시오({now + 1} 이상)",
        )
    return Text(
        f"serial {now} is older than {was}, which is in force: raise it to {was + 1}",
        f"serial {now}은(는) 적용 중인 {was}보다 오래된 것입니다. {was + 1} 이상으로 올리십시오",
    )

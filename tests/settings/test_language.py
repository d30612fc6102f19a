"""Which language is spoken."""

from __future__ import annotations

import pytest

from settings.language import Complaint, choose


@pytest.mark.parametrize(
    ("option", "environ", "spoken"),
    [
        (None, {}, "en"),
        (None, {"LANG": "ko_KR.UTF-8"}, "ko"),
        (None, {"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "C"}, "en"),
        (None, {"LANG": "C", "LC_MESSAGES": "ko"}, "ko"),
        (None, {"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "ko_KR.UTF-8"}, "ko"),
        (None, {"LANG": "ko_KR.UTF-8", "LC_ALL": ""}, "ko"),
        ("en", {"LC_ALL": "ko_KR.UTF-8"}, "en"),
        ("ko", {"LC_ALL": "C"}, "ko"),
    ],
)
def test_the_option_wins_over_the_locale(option: str | None, environ: dict[str, str], spoken: str) -> None:
    assert choose(option, environ) == spoken


def test_a_complaint_is_a_value_error_in_both_languages() -> None:
    complaint = Complaint("write a time", "시각을 쓰십시오")
    assert isinstance(complaint, ValueError)
    assert str(complaint) == complaint.text("en") == "write a time"
    assert complaint.text("ko") == "시각을 쓰십시오"

"""Tables and answers as plants have them: exports with a title above, columns of persons, slips of the pen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from answers.load import load, read
from settings.errors import ConfigError
from tests.answers.given import raw

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "version: 1\nserial: 1\nauthor: 박 멘토\ndate: 2026-11-20\n"


def written(folder: Path, table: str | bytes, key: str = "use_file: t.csv\n") -> Path:
    (folder / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode("cp949"))
    path = folder / "answers.yaml"
    path.write_text(HEAD + key, "utf-8")
    return path


@pytest.mark.parametrize(
    "title",
    ["작업자 성명", "접속자", "사용자 ID", "로그인 아이디", "계정명", "성 명", "사원번호", "운전자", "작업자(이름)",
     "담당자 전화번호", "operator id", "User Name", "Worker No", "e-mail"],
)  # fmt: skip
def test_whatever_a_column_of_persons_is_called_it_is_refused(tmp_path: Path, title: str) -> None:
    path = written(tmp_path, f"일자,시스템,계정구분,조회수,{title}\n2026-11-18,mes,operator,3,김철수\n")
    with pytest.raises(ConfigError, match="would say who it was"):
        load(path, "en")


@pytest.mark.parametrize(
    "title", ["사용자수", "접속자 수", "계정종류", "비고", "설비명", "작업지시번호", "user count"]
)
def test_what_says_nothing_about_persons_is_only_not_read(tmp_path: Path, title: str) -> None:
    path = written(tmp_path, f"일자,시스템,계정구분,조회수,{title}\n2026-11-18,mes,operator,3,x\n")
    assert len(load(path, "en").answers.use) == 1


def test_the_list_of_an_mes_may_begin_with_its_title(tmp_path: Path) -> None:
    key = "systems:\n  - {id: mes, points_file: t.csv}\n"
    table = "한일 MES 태그 목록\n출력자;김철수\n\n번호;태그명;설명\n1;PRESS1.RUN;가동\n2;PRESS1.SHOT;타수\n"
    system = load(written(tmp_path, table, key), "en").answers.systems[0]
    assert system.points == {"PRESS1.RUN": None, "PRESS1.SHOT": None}
    with pytest.raises(ConfigError, match=r"t\.csv:1: no line names the columns; one name of each: point, name"):
        load(written(tmp_path, "PRESS1.RUN\nPRESS1.SHOT\n", key), "en")
    with pytest.raises(ConfigError, match=r"t\.csv:1: is a spreadsheet: save it as CSV"):
        load(written(tmp_path, b"PK\x03\x04" + bytes(200), key), "en")


def test_a_row_that_a_bare_comma_has_shifted_is_refused(tmp_path: Path) -> None:
    head = "일자,시스템,계정구분,조회수,확인수\n"
    assert (
        load(written(tmp_path, f'{head}2026-11-18,mes,operator,"1,234",3,,\n'), "en").answers.use[0].reads == 1234
    )
    with pytest.raises(ConfigError, match=r"t\.csv:2: 6 cells under a heading of 5: is a comma not quoted"):
        load(written(tmp_path, f"{head}2026-11-18,mes,operator,1,234,3\n"), "en")


def test_a_comma_in_a_number_between_braces_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + "bills:\n  - {month: 2026-10, kwh: 48,210}\n", "utf-8")
    with pytest.raises(ConfigError, match="after a comma the next one begins; write numbers without commas"):
        load(path, "en")


def problems(**sections: Any) -> list[str]:
    return [f"{one.path}: {one.text.en}" for one in read(json.dumps(raw(**sections)).encode())[1]]


def test_a_claim_is_of_an_indicator_and_in_its_unit() -> None:
    assert problems(claims=[{"metric": "V03", "value": 0.85}, {"metric": "A04", "value": 85}]) == []
    assert problems(claims=[{"metric": "V03", "value": 85}]) == [
        "claims[#1]: V03 is a share: write 0.85 for 85 %, not 85"
    ]
    assert problems(claims=[{"metric": "Z99", "value": 1}]) == [
        "claims[#1]: there is no indicator Z99: docs/indicators.md lists them"
    ]


def test_extra_shifts_of_one_set_do_not_cross() -> None:
    day, night = {"date": "2026-11-29", "from": "08:00", "to": "17:00"}, {"date": "2026-11-28", "from": "20:00"}
    assert problems(calendar={"extra": [day, {**night, "to": "08:00"}]}) == []
    assert problems(calendar={"extra": [day, {**day, "from": "12:00", "to": "20:00"}]}) == [
        "calendar.extra[#2]: overlaps extra[#1] at 2026-11-29 12:00: shorten one"
    ]
    assert problems(calendar={"extra": [day, {**night, "to": "09:00"}]}) == [
        "calendar.extra[#2]: overlaps extra[#1] at 2026-11-29 08:00: shorten one"
    ]


def test_nothing_has_happened_after_the_answer_that_tells_it() -> None:
    count = {"machine": "press-1", "from": "2026-11-20 08:00", "to": "2026-11-20 20:00", "total": 5}
    late = {**count, "from": "2027-01-01 08:00", "to": "2027-01-01 20:00"}
    assert problems(date="2026-11-20", hand_counts=[count], calendar={"off": ["2026-12-31"]}) == []
    assert problems(date="2026-11-20", hand_counts=[{**late, "on": "2027-01-02"}]) == []
    assert problems(
        date="2026-11-20", hand_counts=[count, late],
        use=[{"day": "2026-11-21", "system": "mes", "account": "operator"}],
    ) == [
        f"{place}: {day} is later than the date of this answer, 2026-11-20: one of them is wrong"
        for place, day in (("hand_counts[#2].to", "2027-01-01"), ("use[#1].day", "2026-11-21"))
    ]  # fmt: skip

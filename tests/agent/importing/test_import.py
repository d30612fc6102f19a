"""Each layout in each encoding becomes what the configuration takes."""

from __future__ import annotations

import codecs
import io
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cli import main
from agent.config.load import load, read
from agent.importing import encoding, excel, file, rows, table
from agent.importing.document import device, value, written
from agent.importing.ids import ids, latin
from agent.importing.signals import Import, signals
from settings.language import Complaint
from tests.agent.importing import files

if TYPE_CHECKING:
    from pathlib import Path

BASE = """\
# 우리 공장
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul, trust_local_clock: true}
machines:
  - {id: press-1, name: 프레스 1호기}   # 제일 오래된 설비
storage: {directory: /var/lib/tsq-agent}
uplink:
  site: {host: 127.0.0.1, port: 1883}
"""


def imported(text: str) -> Import:
    return signals(table.recognise(rows.from_csv(text)))


def entries(result: Import) -> dict[str, dict[str, Any]]:
    return {str(s.entry.get("name", s.entry["id"])): s.entry for s in result.signals}


def section(result: Import) -> str:
    made = device(result, name="plc", machine="press-1", host="192.168.0.10", every="1s")
    return written(made, result, "export.csv", "ko")


def passes_check(result: Import) -> None:
    """The section, put behind a file without devices, is a correct configuration that says the same."""
    config, problems = read((BASE + section(result)).encode())
    assert problems == []
    assert config is not None
    ids_read = [s.id for source in config.sources() for s in source.signals]
    chosen = [s.entry["id"] for s in result.signals if s.chosen]
    assert [i for i in ids_read if i not in {"plc-state", "plc-error"}] == chosen


ENCODINGS = [
    ("cp949", b"", "CP949"), ("utf-8", codecs.BOM_UTF8, "UTF-8 (BOM)"), ("utf-8", b"", "UTF-8"),
    ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16 LE"), ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16 BE"),
    ("utf-16-le", b"", "UTF-16 LE"), ("utf-16-be", b"", "UTF-16 BE"),
]  # fmt: skip
LAYOUTS = [
    (files.VER31_XGI, "XG5000 Ver3.1"), (files.VER31_XGK, "XG5000 Ver3.1"), (files.XGB, "XG5000 XGB"),
    (files.LOCAL_10, "XG5000"), (files.GLOBAL_12, "XG5000"), (files.GENERIC_EN, "list"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "mark", "named"), ENCODINGS)
@pytest.mark.parametrize(("text", "layout"), LAYOUTS)
def test_every_layout_in_every_encoding(
    tmp_path: Path, text: str, layout: str, codec: str, mark: bytes, named: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(mark + text.encode(codec))
    source = file.read(path)
    assert source.table.layout == layout
    if not (text.isascii() and codec == "cp949"):
        assert source.form == named
    assert source.table == table.recognise(rows.from_csv(text))
    passes_check(signals(source.table))


def test_the_export_of_an_xgi() -> None:
    result = imported(files.VER31_XGI)
    assert (result.protocol, result.cpu, result.cpu_told) == ("xgt", "XGI", True)
    got = entries(result)
    assert got["생산수량"] == {
        "id": "saengsansuryang", "name": "생산수량", "address": "%MD100", "type": "uint32",
        "description": "총 생산수량", "role": "count_total", "guess": True, "found": "import",
    }  # fmt: skip
    assert got["양품"]["role"] == "count_good"
    assert (got["설정온도"]["type"], got["설정온도"]["role"]) == ("float32", "sp")
    assert got["설정온도"]["description"] == "온도 설정값, 1존"
    assert (got["바이트값"]["address"], got["바이트값"]["type"]) == ("%MB41", "uint16")
    assert (got["LOT_NO"]["type"], got["LOT_NO"]["length"], got["LOT_NO"]["role"]) == ("string", 20, "lot")
    assert [(s.line, s.name) for s in result.skipped] == [(14, "TON_1"), (15, "배열")]
    assert "no address" in result.skipped[0].reason.en
    assert "주소 없음" in result.skipped[0].reason.ko
    passes_check(result)


def test_the_export_of_an_xgk() -> None:
    result = imported(files.VER31_XGK)
    assert (result.cpu, result.cpu_told) == ("XGK", True)
    got = entries(result)
    assert (got["QX_CV_1_ADV_SV"]["type"], got["QX_CV_1_ADV_SV"]["address"]) == ("bool", "P00104")
    assert (got["운전중"]["role"], got["IX_COUNT"]["type"]) == ("state", "uint16")
    assert got["현재값"]["type"] == "float32", "an odd address"
    assert got["d00200"]["description"] == "이름 없는 설명"
    assert (got["유지시간"]["address"], got["유지시간"]["type"]) == ("T0037", "uint16"), "the current value"
    assert [(s.name, s.line) for s in result.skipped] == [("나쁜주소", 8)]
    assert "no address of an LS PLC" in result.skipped[0].reason.en
    passes_check(result)


def test_what_is_marked_for_an_hmi_is_chosen_and_the_rest_stands_as_comments() -> None:
    result = imported(files.XGB)
    assert {name: s.chosen for name, s in zip(entries(result), result.signals, strict=True)} == {
        "RUN_LAMP": True, "NG_CNT": True, "TEMP": False,
    }  # fmt: skip
    text = section(result)
    assert "          # - {id: temp, " in text
    assert '# 역할 추정: "ng"' in text
    passes_check(result)
    assert [s.chosen for s in imported(files.VER31_XGK).signals] == [True] * 6, "no such column"


def test_local_and_global_variables_of_the_korean_screen() -> None:
    local = imported(files.LOCAL_10)
    assert [s.chosen for s in local.signals] == [False, True]
    assert entries(local)["사이클타임"]["role"] == "cycle"
    assert [s.reason.ko for s in local.skipped] == ["글로벌 변수 참조(VAR_EXTERNAL)"]
    both = imported(files.GLOBAL_12)
    got = entries(both)
    assert (got["전력량"]["type"], got["전력량"]["role"]) == ("float64", "energy")
    assert (got["비상정지"]["address"], got["비상정지"]["role"]) == ("%IX0.2.5", "alarm")
    assert [s.name for s in both.skipped] == ["날짜"]
    assert both.cpu == "XGI"


def test_a_list_of_ones_own_with_semicolons_full_width_letters_and_a_decimal_comma() -> None:
    result = imported(files.GENERIC_KO)
    got = entries(result)
    assert got["유온"] | {"role": "-"} == {
        "id": "yuon", "name": "유온", "address": "D00100", "type": "int16", "unit": "°C", "scale": 0.1,
        "description": "유압 탱크", "role": "-", "found": "import",
    }  # fmt: skip
    assert got["전류"]["role"] == "pv"
    assert [(s.line, s.name) for s in result.skipped] == [(6, "주소없음"), (7, "배율이상")]
    passes_check(result)


def test_a_modbus_list() -> None:
    result = imported(files.GENERIC_EN)
    assert result.protocol == "modbus"
    got = entries(result)
    assert (got["motor current"]["id"], got["motor current"]["address"]) == ("motor-current", "holding:8")
    assert (got["oil temp"]["scale"], got["oil temp"]["offset"]) == (0.1, -40.0)
    assert got["running"]["role"] == "state"
    assert "ambiguous" in result.skipped[0].reason.en
    passes_check(result)


def test_columns_are_told_and_a_file_without_titles_is_refused() -> None:
    found = table.recognise(rows.from_csv(files.GLOBAL_12))
    assert found.columns == {
        "address": "메모리 할당", "name": "변수", "type": "타입", "comment": "설명문", "kind": "변수 종류",
        "hmi": "HMI", "opcua": "OPC UA",
    }  # fmt: skip
    assert found.ignored == ("초기값", "리테인", "사용 유무", "EIP", "모션")
    with pytest.raises(Complaint, match="no row with titles"):
        table.recognise(rows.from_csv("a,b,c\n1,2,3\n"))
    with pytest.raises(Complaint, match="no row with titles"):
        table.recognise([])


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    del book["Sheet"]
    for name, content in sheets:
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_an_excel_file(tmp_path: Path) -> None:
    path = tmp_path / "목록.xlsx"
    tags: list[list[Any]] = [
        ["이름", "주소", "타입", "단위", "배율"],
        ["유온", "D00100", "INT", "°C", 0.1],
        ["수량", "D00102", "UDINT", None, 1],
    ]
    path.write_bytes(workbook(("표지", [["설비 목록"], [None, 3.0]]), ("태그", tags)))
    source = file.read(path)
    assert source.form == "Excel, 태그"
    got = entries(signals(source.table))
    assert got["유온"]["scale"] == 0.1
    assert "scale" not in got["수량"]
    assert file.read(path, "태그").table == source.table
    with pytest.raises(Complaint, match="no row with titles"):
        file.read(path, "표지")
    with pytest.raises(Complaint, match="no sheet 없음: choose 표지, 태그"):
        file.read(path, "없음")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old kind"),
        (b"PK\x03\x04" + bytes(100), "not readable as .xlsx"),
        (bytes(range(128, 256)) * 4, "neither UTF-8, UTF-16 nor CP949"),
        ("이름,주소\r\n가,D1\0\r\n".encode(), "line 2 holds zero bytes"),
        (b"\xff\xfeA", "damaged"),
        (b"name,address\n" + b"a" * 5000 + b",D1\n", "line 2 has too many or too long cells"),
        (b'name,address\n"' + b"a" * 200_000 + b",D1\n", "no row of a CSV file"),
        (b"name,address\n" + b"a,D1\n" * 50_001, "more than 50000 rows"),
        (b"", "no row with titles"),
    ],
)
def test_what_is_no_tag_list_is_explained(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(Complaint) as caught:
        file.read(path)
    assert says in caught.value.text.en
    assert caught.value.text.ko != caught.value.text.en


def test_sizes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MOST_BYTES", 10)
    with pytest.raises(Complaint, match="is it the right one"):
        encoding.decode(b"a" * 11)
    monkeypatch.setattr(excel, "MOST_UNPACKED", 100)
    with pytest.raises(Complaint, match="unpacks to"):
        list(excel.sheets(io.BytesIO(workbook(("a", [["x"]])))))
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("xl/workbook.xml", "<no")
    broken.seek(0)
    with pytest.raises(Complaint, match="not readable as"):
        list(excel.sheets(broken))


def test_ids_are_stable_unique_and_short() -> None:
    assert latin("생산수량 #1") == "saengsansuryang-1"
    assert latin("Ａ존_온도") == "ajon_ondo"
    names = [
        ("운전", "M0001F"),
        ("운전", "M0002F"),
        ("", "%MW100"),
        ("!!", "D00001"),
        ("가" * 60, "D2"),
        ("각" * 60, "D3"),
    ]
    made = ids(names)
    assert made[:4] == ["unjeon-m0001f", "unjeon-m0002f", "mw100", "d00001"]
    assert len(set(made)) == len(made)
    assert all(1 <= len(i) <= 48 for i in made)
    assert ids(names) == made
    assert ids([("온도", "D1")], ["ondo", "ondo-d1"]) == ["ondo-d1-2"]


@given(
    st.lists(st.tuples(st.text(max_size=70), st.text(max_size=30)), max_size=20),
    st.sets(st.sampled_from(["a", "ga"])),
)
def test_ids_of_any_names_are_ids(names: list[tuple[str, str]], taken: set[str]) -> None:
    made = ids(names, taken)
    assert len({*made, *taken}) == len(made) + len(taken)
    for each in made:
        assert 1 <= len(each) <= 48
        assert each.isascii()
        assert set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


@given(st.text(max_size=60))
def test_any_text_is_written_so_that_it_reads_back(text: str) -> None:
    kept = "".join(c if c.isprintable() else " " for c in text)
    assert yaml.safe_load(f"{{a: {value(kept)}, b: 1}}") == {"a": kept, "b": 1}


CELLS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "D00100",
        "%MW100",
        "M0012F",
        "생산수량",
        "BOOL",
        "REAL",
        "STRING[4]",
        '"',
        "=1",
        "Address",
        "변수",
        "주소",
        "1",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=12))
def test_no_list_crashes_the_import_and_what_it_gives_passes_the_check(cells: list[list[str]]) -> None:
    text = "주소,이름,타입,설명,단위\r\n" + "\r\n".join(",".join(row) for row in cells)
    try:
        result = imported(text)
    except Complaint:
        return
    if any(s.chosen for s in result.signals):
        passes_check(result)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reading(raw: bytes) -> None:
    try:
        text, _ = encoding.decode(raw)
        table.recognise(rows.from_csv(text))
    except Complaint:
        return


def test_the_command_prints_a_section_and_what_it_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(files.VER31_XGI.encode("cp949"))
    assert main(["import", str(path), "--machine", "press-1", "--lang", "ko"]) == 0
    out, err = capsys.readouterr()
    config, problems = read((BASE + out).encode())
    assert (problems, config is not None) == ([], True)
    assert "id: peureseu-1ho" in out
    assert "XG5000 Ver3.1, CP949" in err
    assert "주소 = Address" in err
    assert f"{path}:14: TON_1: 주소 없음" in err


def test_the_command_writes_a_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "export.csv", tmp_path / "plc.yaml"
    path.write_text(files.XGB, "utf-8")
    assert main(["import", str(path), "--out", str(out), "--all", "--lang", "en"]) == 0
    assert out.read_text("utf-8").count("\n          - {") == 3
    assert main(["import", str(path), "--out", str(out), "--lang", "en"]) == 78
    assert "3 of 3 signals taken" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "none.csv"), "--lang", "en"]) == 78
    empty = tmp_path / "empty.csv"
    empty.write_text("name,address\nx,\n")
    assert main(["import", str(empty), "--lang", "en"]) == 1


def test_the_command_adds_to_a_file_and_keeps_its_comments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, config = tmp_path / "export.csv", tmp_path / "agent.yaml"
    path.write_text(files.XGB, "utf-8")
    config.write_text(BASE, "utf-8")
    words = ["import", str(path), "--into", str(config), "--device", "press-plc", "--lang", "en"]
    assert main(words) == 78
    assert "there is no device press-plc" in capsys.readouterr().err
    assert main([*words, "--machine", "press-1", "--host", "192.168.0.10"]) == 0
    assert "2 signals added to press-plc" in capsys.readouterr().out
    assert main([*words, "--all"]) == 0
    assert "1 signals added to press-plc, 2 were there" in capsys.readouterr().out
    assert main([*words, "--all"]) == 1
    assert "nothing new for press-plc, 3 are there" in capsys.readouterr().err
    text = config.read_text("utf-8")
    assert "# 우리 공장" in text
    assert "# 제일 오래된 설비" in text
    (device_read,) = load(config).devices
    assert [s.id for s in device_read.groups[0].signals][:3] == ["run_lamp", "ng_cnt", "temp"]
    assert all(s.found == "import" for s in device_read.groups[0].signals[:3])

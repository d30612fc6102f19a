"""The package is read by two libraries of others, and says what stands in the configuration and in the evidence."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aas_test_engines.file import check_aasx_file
from basyx.aas import model
from basyx.aas.adapter.aasx import AASXReader, DictSupplementaryFileContainer

from agent import control
from agent.aas import evidence
from agent.aas.kpi import duration
from agent.aas.package import package
from agent.aas.shells import export
from agent.cli import main
from agent.config.load import load
from agent.verbs import Verbs
from readiness.evidence import load as load_day
from readiness.production import production
from readiness.timemodel import TERMS
from settings.errors import ConfigError
from tests.agent.assess.plant import assess, frame, local
from tests.agent.spool.test_spool import A, Remember, make
from tests.support.clocks import FakeClock
from tests.support.items import frame as reading

if TYPE_CHECKING:
    from agent.frame import Source

EXAMPLE = Path(__file__).parents[3] / "config" / "agent.example.yaml"
STORE = "http://gateway:8086/query?db=tsq"
AID = "AssetInterfacesDescription"
KPI = "ProcessVariablesForManufacturingKPICalculation"


def read(raw: bytes) -> dict[str, Any]:
    """Return id -> object, as the BaSyx SDK reads a package, after the test engine has found nothing wrong."""
    checker: Any = check_aasx_file  # its annotation asks for text, its code for the bytes of a ZIP
    result = checker(io.BytesIO(raw))
    assert result.ok(), "\n".join(result.to_lines())
    store: Any = model.DictIdentifiableStore()
    beside: Any = DictSupplementaryFileContainer  # not annotated
    with AASXReader(io.BytesIO(raw), failsafe=False) as reader:
        reader.read_into(store, beside())
    return {found.id: found for found in store}


def written(tmp_path: Path, *more: str) -> dict[str, Any]:
    out = tmp_path / "plant.aasx"
    assert main(["--lang", "en", "export", "aas", "--config", str(EXAMPLE), "--out", str(out), *more]) == 0
    return read(out.read_bytes())


def test_every_machine_has_a_shell_and_only_submodels_of_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = written(tmp_path, "--store", STORE)
    shells = {o.id.split(":")[-2]: o for o in found.values() if isinstance(o, model.AssetAdministrationShell)}
    assert list(shells) == ["press-1", "meter-1", "cnc-1", "lathe-9"]
    assert len(shells["lathe-9"].submodel) == 0
    shown = shells["press-1"].display_name
    assert shown is not None
    assert shown["ko"] == "프레스 1호기"
    names = [o.id_short for o in found.values() if isinstance(o, model.Submodel)]
    assert sorted(names) == [AID] * 3 + ["TimeSeries"] * 3
    said = capsys.readouterr().out
    assert "no words for: press-plc/lubrication-alarm" in said
    assert "without process variables" in said


def test_an_interface_says_how_the_wire_is_read(tmp_path: Path) -> None:
    found = written(tmp_path)
    interface = found["urn:tsq:hanil:main:press-1:sm:interfaces"].get_referable("InterfaceMODBUS_press_plc")
    endpoint = interface.get_referable("EndpointMetadata")
    assert endpoint.get_referable("base").value == "modbus+tcp://192.168.0.10:502/"
    scheme = next(iter(endpoint.get_referable("security"))).value.resolve(
        model.DictIdentifiableStore(found.values())
    )
    assert scheme.id_short == "nosec_sc"
    properties = interface.get_referable("InteractionMetadata").get_referable("properties")
    current = properties.get_referable("motor_current")
    assert current.get_referable("key").value == "motor-current"
    assert current.get_referable("unit").value == "A"
    assert (current.get_referable("min_max").min, current.get_referable("min_max").max) == (0.0, 200.0)
    form = {each.id_short: each.value for each in current.get_referable("forms")}
    assert [each.value for each in form.pop("security")] == [
        each.value for each in endpoint.get_referable("security")
    ]
    assert form == {
        "href": "1/8?quantity=2", "modv_function": "readHoldingRegisters", "modv_zeroBasedAddressing": "true",
        "modv_pollingTime": "500", "modv_timeout": "500", "modv_type": "xs:float",
        "modv_mostSignificantByte": "true", "modv_mostSignificantWord": "false",
    }  # fmt: skip
    scaled = properties.get_referable("oil_temperature")  # 0.1 degC on the wire: its unit would be wrong
    assert "unit" not in {each.id_short for each in scaled}
    cnc = found["urn:tsq:hanil:main:cnc-1:sm:interfaces"].get_referable("InterfaceOPCUA_cnc")
    properties = cnc.get_referable("InteractionMetadata").get_referable("properties")
    forms = [each.get_referable("forms") for each in properties]
    assert all(len(each.get_referable("security").value) == 1 for each in forms), "mandatory in the template"
    node = properties.get_referable("spindle_load").get_referable("forms").get_referable("href").value
    assert node == "/?id=ns=2;s=Spindle/Load"
    assert "auto_sc" in {
        e.id_short for e in cnc.get_referable("EndpointMetadata").get_referable("securityDefinitions")
    }


def test_nothing_secret_leaves_the_configuration(tmp_path: Path) -> None:
    out = tmp_path / "plant.aasx"
    main(["export", "aas", "--config", str(EXAMPLE), "--out", str(out), "--store", STORE])
    text = zipfile.ZipFile(out).read("aasx/data.json").decode()
    for secret in ("password", "TSQ_", '"tsq"', "edge-1"):
        assert secret not in text, secret


def test_a_linked_segment_asks_the_store_for_the_fields_that_the_gateway_writes(tmp_path: Path) -> None:
    series = written(tmp_path, "--store", STORE)["urn:tsq:hanil:main:press-1:sm:timeseries"]
    segments = series.get_referable("Segments")
    assert [segment.id_short for segment in segments] == [
        "LinkedSegment_press_plc_fast",
        "LinkedSegment_press_plc_slow",
    ]
    slow = {each.id_short: each.value for each in segments.get_referable("LinkedSegment_press_plc_slow")}
    assert slow["Endpoint"] == STORE
    assert slow["SamplingInterval"] == 10_000
    assert slow["Query"] == (
        'SELECT "oil-temperature_f", "lubrication-alarm_b", "lot_s" FROM "press-1" '
        "WHERE \"factory\" = 'hanil' AND \"site\" = 'main' AND \"source\" = 'press-plc.slow'"
    )
    record = [each.id_short for each in series.get_referable("Metadata").get_referable("Record")]
    assert record == ["Time", "running", "motor_current", "shots", "oil_temperature", "lubrication_alarm", "lot"]


def test_names_that_are_hostile_to_xml_and_long_ones_are_told_as_they_are(tmp_path: Path) -> None:
    names = ['프레스 "1호기" <A&B>', "가 ]]> 'x'", "긴" * 100, "😀"]
    config = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    config["machines"] = [{"id": f"m-{n}", "name": name} for n, name in enumerate(names)]
    config["devices"] = config["devices"][:1]
    config["devices"][0]["machine"] = "m-0"
    for group in config["devices"][0]["groups"]:
        for signal in group["signals"]:
            signal["name"] = f'<{signal["id"]}> & "x"'
    for key in ("schedule", "readiness"):
        config.pop(key, None)
    path, out = tmp_path / "agent.yaml", tmp_path / "plant.aasx"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    assert main(["export", "aas", "--config", str(path), "--out", str(out), "--store", f"{STORE}&a=<b>"]) == 0
    shells = [o for o in read(out.read_bytes()).values() if isinstance(o, model.AssetAdministrationShell)]
    assert [shell.display_name["ko"] for shell in shells if shell.display_name is not None] == names


def test_a_nameplate_holds_what_was_copied_down_and_nothing_else(tmp_path: Path) -> None:
    plates = tmp_path / "plates.yaml"
    plate = {"machine": "press-1", "manufacturer": "한국프레스", "serial": "HP-77", "year": "2012"}
    plates.write_text(yaml.safe_dump({"nameplates": [plate]}, allow_unicode=True), "utf-8")
    found = written(tmp_path, "--nameplates", str(plates))["urn:tsq:hanil:main:press-1:sm:nameplate"]
    assert found.get_referable("ManufacturerName").value["ko"] == "한국프레스"
    assert found.get_referable("SerialNumber").value == "HP-77"
    eclass = [each.key[0].value for each in found.get_referable("SerialNumber").supplemental_semantic_id]
    assert eclass == ["0173-1#02-AAM556#004"]
    assert found.get_referable("OrderCodeOfManufacturer").value is None
    assert found.get_referable("URIOfTheProduct").value is None
    assert "CountryOfOrigin" not in {each.id_short for each in found}
    plates.write_text("nameplates:\n  - {machine: press-7}\n", "utf-8")
    assert main(["export", "aas", "--config", str(EXAMPLE), "--nameplates", str(plates)]) == 78
    plates.write_text("nameplates:\n  - {machine: press-1, year: '12'}\n", "utf-8")
    assert main(["export", "aas", "--config", str(EXAMPLE), "--nameplates", str(plates)]) == 78


def test_process_variables_are_the_sums_of_the_window(tmp_path: Path) -> None:
    data = tmp_path / "hist.csv"
    local(frame()).to_csv(data, index=False)
    states = {"id": "press-1/state", "role": "state", "states": {"2": "executing", "0": "off"}}
    answers = {
        "version": 1, "serial": 1, "author": "mentor", "date": "2026-11-01", "signals": [states],
        "products": [{"id": "A", "name": "A", "ideal": {"press-1": "58.5s"}}],
    }  # fmt: skip
    result = assess(tmp_path, [data], answers=answers)
    view = result.assessment.view
    made = export(load(EXAMPLE), result.plant.machines, catalog(result), view, {}, None)
    found = read(package(made.environment))["urn:tsq:hanil:main:press-1:sm:variables"]
    assert isinstance(found.semantic_id, model.ModelReference), (
        "as the template has it: whoever compares compares all"
    )
    assert found.semantic_id.type is model.Submodel
    assert found.semantic_id.key[0].value.endswith(f"/{KPI}/1/0")
    told = {each.id_short: each for each in found}
    values = {name: each.get_referable("currentValue").value for name, each in told.items()}
    planned = 10 * 9 * 3600
    assert seconds(values["PlannedBusyTime"]) == planned
    assert seconds(values["ActualProductionTime"]) == pytest.approx(planned, abs=60 * 10)
    assert seconds(values["PlannedRuntimePerItem"]) == 58.5
    facts = production(view, "press-1")
    assert float(values["ProducedQuantity"]) == pytest.approx(float(facts.made("total", facts.domain).sum()))
    assert float(values["ProducedQuantity"]) == pytest.approx(10 * 540, abs=10)
    assert float(values["ScrapQuantity"]) == pytest.approx(10 * 540 / 50, abs=10)
    for name, each in told.items():
        key = each.get_referable("key").value
        assert (name, each.semantic_id.key[0].value) == TERMS[key]
        assert "2026-10-18" in each.get_referable("comment").value["en"]


def test_days_come_from_what_an_assessment_wrote_and_the_same_plant_gives_the_same_bytes(tmp_path: Path) -> None:
    data = tmp_path / "hist.csv"
    local(frame()).to_csv(data, index=False)
    result = assess(tmp_path, [data])
    folder = tmp_path / "days"
    folder.mkdir()
    for day, raw in result.days.items():
        (folder / f"{day}.json").write_bytes(raw)
        assert load_day(raw).day == day
    first = written(tmp_path, "--days", str(folder))
    once = (tmp_path / "plant.aasx").read_bytes()
    assert written(tmp_path, "--days", str(folder)).keys() == first.keys()
    assert (tmp_path / "plant.aasx").read_bytes() == once
    (folder / "2026-10-05.json").write_text("{}")
    assert main(["export", "aas", "--config", str(EXAMPLE), "--days", str(folder)]) == 78


class Closing(Remember):
    """Closes the days that it is given, and one that nobody can read."""

    def __init__(self, days: dict[str, bytes]) -> None:
        super().__init__()
        self.days = days

    def take_closed(self) -> dict[str, bytes]:
        """Return them, each time."""
        return self.days


def test_days_of_an_agent_are_read_whether_it_runs_or_not(tmp_path: Path) -> None:
    data, folder = tmp_path / "hist.csv", tmp_path / "state"
    local(frame()).to_csv(data, index=False)
    days = dict(assess(tmp_path, [data]).days)
    clock = FakeClock()
    spool = make(folder)
    spool.begin(clock, Closing({**days, "2026-09-01": b"damaged"}))
    spool.put(reading(A, clock.now()))
    clock.advance(700)
    spool.tick()

    async def runs() -> dict[str, bytes]:
        verbs = Verbs.__new__(Verbs)  # of an agent with nothing but a spool
        verbs._spool = spool
        async with control.listening(folder, {"days": verbs._days}):
            return await asyncio.to_thread(evidence.of_spool, folder)

    assert asyncio.run(asyncio.wait_for(runs(), 20)) == days
    with pytest.raises(ConfigError, match="locked"):  # a journal has one reader
        evidence.of_spool(folder)
    spool.stop()
    assert evidence.of_spool(folder) == days
    assert evidence.of_spool(tmp_path / "nowhere") == {}
    (tmp_path / "spool.db").write_bytes(b"no journal at all" * 100)
    with pytest.raises(ConfigError, match=r"spool\.db"):
        evidence.of_spool(tmp_path)


@pytest.mark.parametrize(
    ("nanoseconds", "text"), [(0, "PT0S"), (90 * 10**9, "PT90S"), (1_500_000_000, "PT1.5S"), (1000, "PT0.000001S")]
)
def test_durations_are_written_as_xml_has_them(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text
    assert model.datatypes.from_xsd(text, model.datatypes.Duration) is not None


def test_the_package_is_one_of_the_open_packaging_conventions() -> None:
    config = load(EXAMPLE)
    made = export(config, config.inventory(), config.sources(), None, {}, None)
    with zipfile.ZipFile(io.BytesIO(package(made.environment))) as file:
        assert file.namelist()[0] == "[Content_Types].xml"
        assert json.loads(file.read("aasx/data.json")) == made.environment
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def catalog(result: Any) -> list[Source]:
    return [part.source for part in result.parts]


def seconds(value: Any) -> float:
    """Return an xs:duration as BaSyx reads it, in seconds."""
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    span: dt.timedelta = start + value - start
    return span.total_seconds()

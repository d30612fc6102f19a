"""The cut of the house, enforced: who imports whom, and which modules stay pure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "agent", "answers", "contract", "readiness", "settings", "service", "transport", "gateway", "techsquare",
    "demo",
)  # fmt: skip

MAY_IMPORT = {
    "contract": set[str](),
    "readiness": {"contract"},
    "answers": {"contract", "readiness", "settings"},
    "settings": set[str](),
    "service": {"settings"},
    "transport": {"settings"},
    "agent": {"contract", "readiness", "answers", "settings", "service", "transport"},
    "gateway": {"contract", "readiness", "settings", "service", "transport"},
    "techsquare": {"contract", "readiness", "answers", "settings", "service", "transport"},
    "demo": {"contract", "readiness", "answers", "settings", "service", "transport", "agent", "gateway"},
}

# Modules (or packages) that touch no clock, file, socket or logger.
PURE = (
    "agent/frame.py", "agent/errors.py", "agent/entry.py", "agent/delivery.py", "agent/sizes.py", "agent/analyzers",
    "agent/spool/columns.py", "agent/spool/columns_arrays.py",
    "agent/spool/columns_streams.py", "agent/spool/columns_values.py",
    "agent/spool/gaps.py", "agent/spool/record.py", "agent/spool/stamps.py",
    "agent/config/profiles.py", "agent/config/sharing.py",
    "agent/conform/findings.py", "agent/conform/reading.py", "agent/conform/daybook.py",
    "agent/conform/acting/plant.py", "agent/conform/acting/messages.py",
    "agent/platform/refusals.py", "agent/platform/source.py",
    "agent/changes.py", "agent/fingerprint.py", "agent/maintenance.py", "agent/latest.py",
    "agent/overrun.py", "agent/standstill.py",
    "agent/replaying/script.py", "agent/replaying/tall.py", "agent/replaying/values.py",
    "agent/edit.py", "agent/interpretation.py", "agent/cli/starting.py", "agent/cli/browsing/entries.py",
    "agent/cli/values.py", "agent/cli/networks.py", "agent/cli/watching/model.py", "agent/cli/watching/lines.py",
    "agent/collectors/base.py", "agent/collectors/planning.py", "agent/collectors/budget.py",
    "agent/collectors/schedule.py", "agent/collectors/modbus/group.py", "agent/collectors/modbus/refusal.py",
    "agent/collectors/modbus/plan.py", "agent/collectors/modbus/heal.py", "agent/collectors/modbus/learned.py",
    "agent/collectors/modbus/cost.py", "agent/collectors/modbus/values.py", "agent/collectors/modbus/explained.py",
    "agent/collectors/modbus/decode.py", "agent/collectors/binary.py",
    "agent/collectors/convert.py", "agent/collectors/moments.py", "agent/collectors/modbus/address.py",
    "agent/collectors/modbus/lsmap.py",
    "agent/collectors/opcua/certificates.py", "agent/collectors/opcua/convert.py",
    "agent/collectors/opcua/decode.py", "agent/collectors/opcua/qualified.py", "agent/collectors/opcua/node.py",
    "agent/collectors/opcua/deadband.py", "agent/collectors/opcua/glob.py", "agent/collectors/opcua/limits.py",
    "agent/collectors/opcua/sourcetime.py", "agent/collectors/opcua/structures.py",
    "agent/collectors/xgt/frame.py", "agent/collectors/xgt/address.py", "agent/collectors/xgt/plan.py",
    "agent/collectors/xgt/learned.py", "agent/collectors/xgt/group.py", "agent/importing/encoding.py",
    "agent/importing/rows.py", "agent/importing/table.py", "agent/importing/types.py", "agent/importing/ids.py",
    "agent/importing/roles.py", "agent/importing/signals.py", "agent/importing/document.py",
    "agent/assess/__init__.py", "agent/assess/cells.py", "agent/assess/estimate.py", "agent/assess/merge.py",
    "agent/assess/provable.py", "agent/assess/stream.py", "agent/assess/times.py", "agent/assess/told.py",
    "agent/aas/__init__.py", "agent/aas/elements.py", "agent/aas/interfaces.py", "agent/aas/kpi.py",
    "agent/aas/nameplate.py", "agent/aas/package.py", "agent/aas/shells.py", "agent/aas/timeseries.py",
    "agent/sparkplug/payload.py", "agent/sparkplug/node.py", "agent/sparkplug/state.py", "agent/pulse.py",
    "agent/counters.py", "agent/cli/spoolview.py", "gateway/counters.py",
    "answers/words.py", "answers/sections.py", "answers/model.py", "answers/checks.py", "answers/tables.py",
    "answers/hearing.py", "answers/plant.py", "answers/join_signals.py", "answers/join_records.py",
    "answers/join_calendar.py", "answers/signed.py", "answers/versions.py", "settings/schedule.py",
    "contract/topics.py", "contract/codec.py", "contract/payload.py",
    "contract/report.py", "contract/rights.py", "contract/consent.py", "contract/day.py", "contract/manifest.py",
    "contract/signing.py", "contract/verbs.py", "agent/platform/limits.py", "agent/platform/cut.py",
    "gateway/access_files.py",
    "gateway/points.py", "gateway/peers.py", "gateway/verdicts.py", "gateway/letter.py",
    "gateway/rejection.py", "gateway/stores/base.py",
    "gateway/stores/lines.py", "gateway/stores/rules.py", "gateway/stores/sending.py",
    "readiness", "demo/machines.py", "settings/base.py", "settings/characters.py", "settings/document.py",
    "settings/encoding.py", "settings/errors.py", "settings/explain.py", "settings/language.py",
    "settings/reference.py", "settings/released.py", "settings/suggest.py", "settings/tree.py",
    "settings/validity.py",
    "techsquare/verdict",
    "techsquare/roadmap", "techsquare/catalogue/model.py", "techsquare/catalogue/checks.py",
    "techsquare/catalogue/offer.py",
    "transport/negotiation.py",
    "techsquare/span.py", "techsquare/ties.py", "techsquare/credit.py",
    "techsquare/matching", "techsquare/mentoring", "techsquare/fit", "techsquare/privacy",
    *(f"techsquare/glossary/{name}.py" for name in (
        "__init__", "people", "diagnosis", "advice", "projects", "verdicts",
    )),
    *(f"techsquare/diagnosis/{name}.py" for name in (
        "terms", "days", "counted", "split", "accounts", "ledger", "energy", "gaps", "beside", "peers",
        "questionnaire", "checks",
    )),
    *(f"techsquare/entry/{name}.py" for name in ("terms", "model", "checks", "provisional", "cheapest", "stages")),
    "techsquare/registry/privacy.py",
    "techsquare/simulation/advice.py", "techsquare/simulation/market.py", "techsquare/simulation/mentors.py",
    "techsquare/simulation/naive.py", "techsquare/simulation/owners.py", "techsquare/simulation/plants.py",
    "techsquare/simulation/programme.py", "techsquare/simulation/projects.py", "techsquare/simulation/report.py",
    "techsquare/simulation/seeds.py", "techsquare/simulation/terms.py", "techsquare/simulation/advised.py",
    "techsquare/simulation/compared.py", "techsquare/simulation/judged.py",
    "techsquare/intake/terms.py", "techsquare/intake/checks.py", "techsquare/intake/rows.py",
    "techsquare/intake/chain.py", "techsquare/intake/handed.py",
    "techsquare/api/given.py", "techsquare/api/market.py", "techsquare/cli/told.py",
)  # fmt: skip
IMPURE_MODULES = {
    "asyncio", "logging", "os", "pathlib", "random", "shutil", "socket", "sqlite3", "subprocess", "sys", "tempfile",
    "threading", "time", "paho", "pymodbus", "asyncua", "influxdb_client", "urllib3", "http", "secrets",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input"}

# The only module (or package) that may import a library, wherever it stands in a file.
ONLY_IN = {
    "pymodbus": ("agent/collectors/modbus", "demo"),
    "asyncua": ("agent/collectors/opcua", "demo"),
    "influxdb_client": ("gateway/stores",),
    "paho": ("transport/session.py", "techsquare", "demo"),
    "iotcore": ("demo",),
    "prometheus_client": ("service/metrics.py",),
    "google": ("agent/sparkplug/payload.py",),
    "rich": ("demo", "agent/cli"),
    "textual": ("agent/cli",),
    "openpyxl": ("agent/importing",),
    "pyarrow": ("agent/assess/table.py",),
    "alembic": ("techsquare/registry",),
    "pwdlib": ("techsquare/registry/access.py",),
    "cryptography": ("agent/collectors/opcua", "answers/signed.py", "contract/signing.py"),
}
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep", "now", "utcnow", "today"}


def modules(*roots: str) -> list[Path]:
    """Return the Python files under files or folders of the checkout."""
    found: list[Path] = []
    for root in roots:
        path = ROOT / root
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def imports(path: Path) -> list[str]:
    """Return the full names of what a file imports at run time or for types."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            names.append(node.module or "")
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_the_design_allows(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    for path in modules(package):
        for name in imports(path):
            top = name.split(".")[0]
            assert top not in PACKAGES or top in allowed, f"{path.relative_to(ROOT)} imports {name}"
            assert top != "tests", f"{path.relative_to(ROOT)} imports tests"


def test_collectors_never_import_each_other() -> None:
    folder = ROOT / "agent" / "collectors"
    protocols = {p.name for p in folder.iterdir() if p.is_dir() and p.name != "__pycache__"}
    for protocol in protocols:
        for path in modules(f"agent/collectors/{protocol}"):
            for name in imports(path):
                others = {f"agent.collectors.{other}" for other in protocols - {protocol}}
                assert not any(name == o or name.startswith(o + ".") for o in others), f"{path} imports {name}"
                assert name not in {"agent.uplink", "agent.spool", "agent.app"}, f"{path} imports {name}"


def test_nothing_imports_the_composition_roots() -> None:
    for path in modules(*PACKAGES):
        if "cli" in path.parts or path.name == "cli.py" or path.parts[-2] == "demo":
            continue
        assert not {"agent.app", "gateway.app"} & set(imports(path)), path


@pytest.mark.parametrize("path", modules(*PURE), ids=lambda p: str(p.relative_to(ROOT)))
def test_pure_modules_touch_no_clock_file_socket_or_logger(path: Path) -> None:
    for name in imports(path):
        assert name.split(".")[0] not in IMPURE_MODULES, f"imports {name}"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"line {node.lineno}: calls {node.func.id}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            clock = node.func.attr in {"now", "utcnow", "today"} and ast.unparse(node.func.value) in {
                "datetime", "date", "datetime.datetime", "datetime.date", "dt.datetime",
            }  # fmt: skip
            assert not clock, f"line {node.lineno}: reads a clock"


def test_a_heavy_library_is_imported_in_one_place_only() -> None:
    for path in modules(*PACKAGES):
        place = path.relative_to(ROOT).as_posix()
        for name in imports(path):
            for prefix in ONLY_IN.get(name.split(".")[0], ("",)):
                if place.startswith(prefix):
                    break
            else:
                raise AssertionError(f"{place} imports {name}")


def test_only_the_clock_module_of_the_agent_reads_clocks_or_sleeps() -> None:
    for path in modules("agent", "settings"):
        place = path.relative_to(ROOT).as_posix()
        if place == "agent/clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                reads = node.value.id == "time" and node.attr in CLOCKS
                sleeps = node.value.id == "asyncio" and node.attr == "sleep"
                assert not reads, f"{place}:{node.lineno} reads the clock: use agent.clock"
                assert not sleeps, f"{place}:{node.lineno} sleeps: use agent.clock"


def test_modules_stay_small_enough_to_read() -> None:
    for path in modules(*PACKAGES):
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= 450, f"{path.relative_to(ROOT)} has {lines} lines: which two things does it do?"

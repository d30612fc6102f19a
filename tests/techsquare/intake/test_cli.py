"""`techsquare upgrade` and `import`, as a person runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from contract.codec import encode
from techsquare.cli import main
from techsquare.registry.store import Registry
from tests.techsquare.intake.made import Made, register

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_file_goes_in_once_the_tables_and_the_key_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    made = Made("hanil", machines=2)
    made.sign(3)
    days, manifest = tmp_path / "days.json", tmp_path / "manifest.json"
    days.write_bytes(encode({"days": made.days}))
    manifest.write_bytes(made.manifest().payload)
    words = ["--database", url]
    assert main(["import", str(days), *words]) == 78
    assert "techsquare upgrade" in capsys.readouterr().err
    assert main(["upgrade", *words]) == 0
    assert main(["upgrade", *words]) == 0
    assert "as before" in capsys.readouterr().out
    registry = Registry(url)
    register(registry, "hanil")
    registry.close()
    assert main(["import", str(days), *words]) == 1
    assert "3 unknown" in capsys.readouterr().out
    assert main(["import", str(manifest), str(days), *words]) == 0
    assert main(["import", str(days), "--json", *words]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [one["fate"] for one in told] == ["same"] * 3
    (tmp_path / "other.json").write_text("[]", "utf-8")
    assert main(["import", str(tmp_path / "other.json"), *words]) == 1
    assert "other.json" in capsys.readouterr().err


def test_a_url_that_is_none_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upgrade", "--database", "mysql://me:secret@host/x"]) == 78
    assert "secret" not in capsys.readouterr().err

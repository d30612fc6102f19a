"""The `store:` part of gateway.yaml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from gateway.stores.settings import EmbeddedSettings, InfluxDb1Settings, InfluxDb2Settings, StoreSettings

ADAPTER: TypeAdapter[EmbeddedSettings | InfluxDb1Settings | InfluxDb2Settings] = TypeAdapter(StoreSettings)


def test_each_type_of_store_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFLUX_PASSWORD", "hidden-1")
    (tmp_path / "token").write_text("hidden-2\n")
    embedded = ADAPTER.validate_python(
        {"type": "embedded", "path": "/var/lib/tsq/store.db", "keep": {"max_size": "2GB", "max_age": "30d"}}
    )
    assert isinstance(embedded, EmbeddedSettings)
    assert embedded.path == Path("/var/lib/tsq/store.db")
    assert embedded.keep.max_size == 2 * 10**9
    one = ADAPTER.validate_python(
        {
            "type": "influxdb1",
            "url": "http://10.0.4.2:8086/",
            "database": "plant",
            "user": "tsq",
            "password": "env:INFLUX_PASSWORD",
            "timeout": "500ms",
        }
    )
    assert isinstance(one, InfluxDb1Settings)
    assert one.url == "http://10.0.4.2:8086"
    assert one.timeout_s == 0.5
    assert one.password
    assert one.password.resolve() == "hidden-1"
    two = ADAPTER.validate_python(
        {"type": "influxdb2", "url": "https://db.plant", "bucket": "b", "token": f"file:{tmp_path / 'token'}"}
    )
    assert isinstance(two, InfluxDb2Settings)
    assert two.token
    assert two.token.resolve() == "hidden-2"
    assert "hidden" not in f"{one!r}{two!r}{one.model_dump()}{two.model_dump_json()}"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("where the secret stands", {"type": "influxdb2", "url": "http://x", "bucket": "b", "token": "abc123"}),
        ("needs a user", {"type": "influxdb1", "url": "http://x", "database": "d", "password": "env:X"}),
        ("size with its unit", {"type": "embedded", "path": "/x", "keep": {"max_size": 500}}),
        ("time with its unit", {"type": "influxdb1", "url": "http://x", "database": "d", "timeout": 5}),
        ("write the address as", {"type": "influxdb1", "url": "http://me:secret@x", "database": "d"}),
        ("write the address as", {"type": "influxdb1", "url": "10.0.4.2:8086", "database": "d"}),
        ("full path", {"type": "embedded", "path": "x"}),
        ("Extra inputs", {"type": "embedded", "path": "/x", "databse": "d"}),
        ("Field required", {"type": "influxdb1", "url": "http://x"}),
        ("Unable to extract tag", {"path": "x"}),
    ],
)
def test_a_mistake_is_refused_with_what_to_do(text: str, settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=text) as failure:
        ADAPTER.validate_python(settings)
    if "token" in settings:
        assert "abc123" not in failure.value.errors(include_input=False)[0]["msg"]


def test_the_examples_in_the_documentation_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    text = (Path(__file__).parents[2] / "docs" / "stores.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    types = set()
    for example in examples:
        usable = re.sub(r"(?:env|file):\S+", "env:SECRET", example)
        types.add(ADAPTER.validate_python(yaml.safe_load(usable)["store"]).type)
    assert types == {"embedded", "influxdb1", "influxdb2"}

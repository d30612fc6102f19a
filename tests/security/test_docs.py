"""What docs/security.md tells people to do works as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from settings import handshake
from settings.broker import Broker
from tests.security.broker import Client, mosquitto
from tests.support.certificates import Pair
from tests.support.processes import running

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def text() -> str:
    return (DOCS / "security.md").read_text("utf-8")


def test_the_commands_make_certificates_that_agent_and_broker_accept(tmp_path: Path, text: str) -> None:
    (commands,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    subprocess.run(["sh", "-euc", commands], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    server = Pair(tmp_path / "broker.pem", tmp_path / "broker.key")
    with running(mosquitto(tmp_path / "broker", tmp_path / "ca.pem", server)) as child:
        for user in ("hanil.edge-1", "gateway.gateway-1"):
            pair = Pair(tmp_path / f"{user}.pem", tmp_path / f"{user}.key")
            broker = Broker.model_validate(
                {"host": "localhost", "port": child.port, "tls": pair.settings(tmp_path / "ca.pem")}
            )
            assert [*broker.notes("mqtt")] == []
            context = broker.context()
            assert context is not None
            client = Client(user, context).open(broker.port)
            client.stop()
            assert f"u'{user}'" in child.output()


def test_what_the_pages_say_of_errors_is_what_the_log_says(text: str) -> None:
    source = Path(handshake.__file__).read_text("utf-8")
    said = " ".join(re.sub(r'"\s*\n\s*f?"', "", source).split())
    for language, page in (("en", text), ("ko", (DOCS / "security.ko.md").read_text("utf-8"))):
        rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", page, re.MULTILINE)
        quoted = [row for row in rows if row not in {"the log or `status` says", "로그나 `status`의 내용"}]
        assert len(quoted) == 7, language
        for row in quoted:
            for part in re.split(r"\.\.\.|\(", row):
                words = part.strip(" )")
                assert words in said or "not the key of" in row, (language, words)


def test_both_languages_have_the_same_sections(text: str) -> None:
    korean = (DOCS / "security.ko.md").read_text("utf-8")
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == len(re.findall(r"^## ", korean, re.MULTILINE))
    for page in (text, korean):
        for target in re.findall(r"\]\(([^)#]+)", page):
            assert (DOCS / target).exists(), target

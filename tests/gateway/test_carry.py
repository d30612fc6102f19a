"""`tsq-gateway carry`: which files of a stick are taken, and what is written beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract import carry, codec
from contract.payload import Stored
from gateway.config import DeadLetterSettings, GatewayConfig
from gateway.deadletter import DeadLetters, DeadLettersFull
from gateway.stores.settings import EmbeddedSettings
from gateway.verbs.carry import _Unloading
from settings.broker import Broker
from tests.gateway.builders import BRANCH, T0, MemoryStore, birth_messages, block, data, message, row, wire
from transport.stick import FOLDER, files

if TYPE_CHECKING:
    from pathlib import Path

    from contract.payload import Data


def put(stick: Path, name: str, *messages: Data) -> None:
    packer = carry.Packer()
    pieces = [packer.head(carry.Head("data", BRANCH.factory, BRANCH.agent, str(T0), "1"))]
    pieces += [packer.message(topic, part) for topic, part in birth_messages()]
    pieces += [packer.message(BRANCH.data, wire(one)) for one in messages]
    (stick / FOLDER).mkdir(exist_ok=True)
    (stick / FOLDER / f"{name}{carry.DATA}").write_bytes(b"".join([*pieces, packer.end()]))


def stored(stick: Path) -> dict[str, list[int]]:
    """Return the entries that each answer confirms."""
    found = {}
    for path in files(stick, carry.STORED):
        with path.open("rb") as raw:
            answers = [codec.decode(one.payload, Stored) for one in carry.Container(raw.read).messages()]
        entries = [entry[0] for one in answers for entry in (*one.stored, *((r.seq, r.crc) for r in one.rejected))]
        found[path.name.removesuffix(carry.STORED)] = entries
    return found


class Gateway:
    """The command, with a store in memory."""

    def __init__(self, folder: Path) -> None:
        self.stick = folder / "usb"
        self.stick.mkdir()
        letters = {"directory": folder / "letters", "max_size": "1MB"}
        self.settings = GatewayConfig(
            worker="gw-1",
            mqtt=Broker(host="127.0.0.1", port=1),
            store=EmbeddedSettings(path=folder / "store.db"),
            dead_letters=DeadLetterSettings.model_validate(letters),
        )

    def carry(self, *, again: bool = False) -> int:
        """Take the stick once."""
        unloading = _Unloading(self.stick, self.settings, MemoryStore(), "en")
        return unloading.all(files(self.stick, carry.DATA), again=again)


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def test_a_second_answer_is_not_taken_for_the_answer_to_another_file(gateway: Gateway) -> None:
    put(gateway.stick, "a.1-2", message(1))
    assert gateway.carry() == 0
    assert gateway.carry(again=True) == 0
    put(gateway.stick, "a.1-2.2", message(2))  # the agent's name for other content of the same range
    assert gateway.carry() == 0
    assert stored(gateway.stick) == {"a.1-2": [1], "a.1-2.again1": [1], "a.1-2.2": [2]}
    assert gateway.carry() == 0
    assert len(stored(gateway.stick)) == 3


def test_an_answer_that_was_damaged_is_replaced_once(gateway: Gateway) -> None:
    put(gateway.stick, "a.1-2", message(1))
    answer = gateway.stick / FOLDER / f"a.1-2{carry.STORED}"
    answer.write_bytes(b"torn")
    assert gateway.carry() == 0
    assert gateway.carry() == 0
    assert [path.name for path in files(gateway.stick, carry.STORED)] == [
        f"a.1-2.again1{carry.STORED}",
        answer.name,
    ]


def test_what_found_no_room_among_the_dead_letters_is_taken_again_by_the_next_run(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(gateway.stick, "a.1-2", message(1), data(block(row("f64", T0, "text"), seq=2), seqs=(2,)))

    def full(*_: object) -> bool:
        raise DeadLettersFull("full")

    with monkeypatch.context() as disk:
        disk.setattr(DeadLetters, "append", full)
        assert gateway.carry() == 1
    assert "run it again" in capsys.readouterr().err
    assert stored(gateway.stick) == {"a.1-2.some1": [1]}
    assert gateway.carry() == 1  # refused: somebody has to look at it
    assert stored(gateway.stick) == {"a.1-2.some1": [1], "a.1-2": [1, 2]}
    capsys.readouterr()
    gateway.carry()
    assert len(stored(gateway.stick)) == 2


def test_what_another_system_hides_beside_our_files_is_left_alone(gateway: Gateway) -> None:
    put(gateway.stick, "a.1-2", message(1))
    (gateway.stick / FOLDER / f"._a.1-2{carry.DATA}").write_bytes(b"finder")
    assert gateway.carry() == 0
    assert stored(gateway.stick) == {"a.1-2": [1]}

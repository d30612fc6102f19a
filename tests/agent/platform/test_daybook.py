"""The chain of a box: over restarts, power cuts, old images, and beside another box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from agent.errors import WireError
from agent.platform.daybook import Daybook
from agent.platform.key import NAME, own_key, private
from contract.consent import Given
from contract.manifest import Head, Manifest
from contract.signing import key_id, key_text, open_day, private_key, seal_head, verify
from tests.golden import DAY, EXAMPLES, TOPICS

if TYPE_CHECKING:
    from pathlib import Path

    from contract.day import Day

OTHER = private_key(bytes(32)).public_key()


def book(folder: Path) -> Daybook:
    return Daybook(folder, TOPICS, own_key(folder))


def day(of: Daybook, date: str) -> Day:
    number, prev = of.next()
    return replace(DAY, date=date, number=number, prev=prev, key=of.key)


def fill(of: Daybook, n: int) -> None:
    for at in range(1, n + 1):
        of.add(day(of, f"2026-10-{at:02}"))


def manifest(key: str, chain: Head | None, by: Daybook | None = None) -> Manifest:
    example = EXAMPLES["manifest"]
    assert isinstance(example, Manifest)
    proof = None if by is None or chain is None else seal_head(chain, TOPICS, by.private)
    return replace(example, key=key, public_key=key_text(OTHER), chain=chain, consent=Given("0", []), proof=proof)


def whole(of: Daybook) -> int:
    """Return how many records there are; they verify from the first one on."""
    found = [signed for signed, _ in of.records("", "9")]
    assert len(found) == len(of.dates())
    return len(verify(found, TOPICS, {of.key: of.public}))


def test_a_key_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    first = book(tmp_path)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert private(tmp_path)
    assert book(tmp_path).key == first.key == key_id(first.public)
    (tmp_path / NAME).chmod(0o644)
    assert not private(tmp_path)
    assert book(tmp_path).key == first.key
    assert private(tmp_path), "others could read it until now"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"00" * 31, b"\xff\xfe", b"00" * 33])
def test_a_damaged_key_is_kept_aside_and_the_chain_waits_for_a_person(tmp_path: Path, content: bytes) -> None:
    before = book(tmp_path)
    fill(before, 2)
    (tmp_path / NAME).write_bytes(content)
    after = book(tmp_path)
    assert after.key != before.key
    assert (tmp_path / "signing.damaged").read_bytes() == content
    after.hear(manifest(before.key, before.head))
    assert not after.free
    assert after.take()
    after.add(day(after, "2026-10-03"))
    assert after.head is not None
    assert after.head.number == 3
    first = [one for one in map(after.signed, after.dates()) if one is not None]
    assert len(verify(first, TOPICS, {before.key: before.public, after.key: after.public})) == 3


def test_the_chain_goes_on_over_restarts(tmp_path: Path) -> None:
    for n in range(1, 6):
        again = book(tmp_path)
        again.add(day(again, f"2026-10-{n:02}"))
        assert whole(again) == n


@pytest.mark.parametrize("lost", ["chain.json", "days/2026-10-03.json"])
def test_a_power_cut_between_record_and_head_breaks_nothing(tmp_path: Path, lost: str) -> None:
    before = book(tmp_path)
    fill(before, 2)
    old = (tmp_path / "chain.json").read_bytes()
    before.add(day(before, "2026-10-03"))
    (tmp_path / lost).unlink()
    if lost.startswith("days"):  # the cut came before the record: so the head is the old one
        (tmp_path / "chain.json").write_bytes(old)
    after = book(tmp_path)
    after.add(day(after, "2026-10-04"))
    assert whole(after) == len(after.dates())


@pytest.mark.parametrize("content", [b"", b"{", b'{"number": 0}'])
def test_a_head_that_cannot_be_read_is_found_in_the_records(tmp_path: Path, content: bytes) -> None:
    before = book(tmp_path)
    fill(before, 3)
    (tmp_path / "chain.json").write_bytes(content)
    assert book(tmp_path).head == before.head


def test_a_record_of_our_own_that_does_not_follow_is_not_where_the_chain_stands(tmp_path: Path) -> None:
    of, other = book(tmp_path), tmp_path / "other"
    fill(of, 2)
    other.mkdir()
    (other / NAME).write_bytes((tmp_path / NAME).read_bytes())
    fork = book(other)
    fork.add(day(fork, "2026-10-09"))  # the same key, from another beginning
    (tmp_path / "days" / "2026-10-09.json").write_bytes((other / "days" / "2026-10-09.json").read_bytes())
    assert book(tmp_path).head == of.head


def test_nothing_is_signed_twice_or_out_of_order(tmp_path: Path) -> None:
    of = book(tmp_path)
    fill(of, 2)
    for date in ("2026-10-01", "2026-10-02"):
        with pytest.raises(WireError, match="does not continue"):
            of.add(day(of, date))
    with pytest.raises(WireError, match="does not continue"):
        of.add(replace(day(of, "2026-10-03"), number=4))
    assert whole(of) == 2


def test_a_box_from_an_old_image_goes_on_behind_its_own_newer_head(tmp_path: Path) -> None:
    newer, older = tmp_path / "newer", tmp_path / "older"
    first = book(older)
    fill(first, 2)
    newer.mkdir()
    (newer / NAME).write_bytes((older / NAME).read_bytes())
    long = book(newer)
    fill(long, 5)
    first.hear(manifest(long.key, long.head, long))
    assert first.free
    assert first.head == long.head
    first.add(day(first, "2026-10-06"))
    assert first.head is not None
    assert first.head.number == 6
    assert book(older).head == first.head


@pytest.mark.parametrize("number", [2, 3, 4, 2**53])
def test_a_head_that_this_key_has_not_signed_is_not_believed(tmp_path: Path, number: int) -> None:
    of = book(tmp_path)
    fill(of, 3)
    stood = of.head
    forged = manifest(of.key, Head(number, "2099-12-31", "f" * 64))
    stolen = seal_head(Head(9, "2026-10-09", "f" * 64), TOPICS, private_key(bytes(32)))
    for proof in (None, of.proof, stolen):
        of.hear(replace(forged, proof=proof))
        assert (of.head, of.free, of.trouble) == (stood, True, "")
    assert book(tmp_path).head == stood
    of.add(day(of, "2026-10-04"))
    assert whole(of) == 4


def test_another_key_stops_signing_until_a_person_takes_it(tmp_path: Path) -> None:
    of = book(tmp_path)
    fill(of, 1)
    foreign = Head(9, "2026-10-09", "f" * 64)
    of.hear(manifest(key_id(OTHER), foreign))
    assert not of.free
    assert "tsq-agent reporter take" in of.trouble
    assert of.take()
    assert (of.free, of.head, of.trouble) == (True, foreign, "")
    assert not of.take()
    of.hear(manifest(key_id(OTHER), foreign))  # as it comes again before ours has replaced it
    assert of.free


def test_two_boxes_with_one_key_are_noticed(tmp_path: Path) -> None:
    of = book(tmp_path)
    fill(of, 3)
    assert of.head is not None
    of.hear(manifest(of.key, of.head))
    assert of.free
    of.hear(manifest(of.key, replace(of.head, hash="e" * 64), of))
    assert "two boxes" in of.trouble
    (first, *_) = [opened for _, opened in of.records("", "9")]
    of.hear(manifest(of.key, first.head))
    assert of.trouble == ""


def test_a_copy_of_this_box_that_is_behind_is_noticed_too(tmp_path: Path) -> None:
    first = book(tmp_path / "a")
    fill(first, 2)
    image = book(tmp_path / "a").head
    other = book(tmp_path / "a")  # the copy: one key, one chain up to here
    copied = other.add(replace(day(other, "2026-10-03"), simulated=0.5))
    head = open_day(copied, TOPICS, {other.key: other.public}).head
    (tmp_path / "a" / "days" / "2026-10-03.json").unlink()
    first.add(day(first, "2026-10-03"))
    first.add(day(first, "2026-10-04"))
    first.hear(manifest(first.key, image))
    assert first.trouble == "", "our own word of yesterday"
    first.hear(manifest(first.key, head, first))
    assert "two boxes" in first.trouble
    stood = first.head
    assert first.take()
    assert first.head == stood


def test_a_manifest_of_another_key_without_records_stops_nothing(tmp_path: Path) -> None:
    of = book(tmp_path)
    of.hear(manifest(key_id(OTHER), None))
    assert of.free
    of.hear(None)
    assert of.free


def test_a_box_without_a_key_of_its_own_signs_nothing(tmp_path: Path) -> None:
    of = Daybook(tmp_path, TOPICS, own_key(tmp_path), "no disk")
    of.hear(None)
    assert (of.free, of.trouble) == (False, "no disk")


def test_a_chain_of_another_agent_stops_signing_until_it_is_taken_and_that_is_remembered(tmp_path: Path) -> None:
    mine = book(tmp_path)
    fill(mine, 2)
    other = key_id(OTHER)
    mine.hear_of("edge-2", manifest(other, None))
    assert [mine.free, mine.trouble] == [True, ""]
    mine.hear_of("edge-2", manifest(other, Head(7, "2026-10-09", "a" * 64)))
    assert [mine.free, "edge-2" in mine.trouble] == [False, True]
    mine.hear(manifest(mine.key, mine.head))  # our own, which changes nothing of it
    assert "edge-2 has signed days" in mine.trouble
    assert mine.take()
    assert (mine.free, mine.trouble, mine.next()) == (True, "", (8, "a" * 64))
    again = book(tmp_path)
    again.hear_of("edge-2", manifest(other, Head(7, "2026-10-09", "a" * 64)))
    assert [again.free, again.trouble] == [True, ""]
    again.hear_of("edge-2", manifest(other, Head(8, "2026-10-10", "b" * 64)))  # it goes on signing
    assert "edge-2 has signed days" in again.trouble
    again.hear_of("edge-2", None)
    assert again.free


def test_what_we_had_signed_behind_a_head_that_is_taken_is_kept_under_another_name(tmp_path: Path) -> None:
    mine = book(tmp_path)
    fill(mine, 5)
    ours = {date: (tmp_path / "days" / f"{date}.json").read_bytes() for date in mine.dates()}
    mine.hear(manifest(key_id(OTHER), Head(2, "2026-10-03", "a" * 64)))
    assert mine.take()
    assert book(tmp_path).next() == (3, "a" * 64), "also after a restart"
    mine.add(day(mine, "2026-10-04"))
    mine.add(day(mine, "2026-10-05"))
    again = book(tmp_path)
    assert again.next()[0] == 5
    assert again.dates() == sorted(ours)
    files = {path.read_bytes() for path in (tmp_path / "days").iterdir()}
    assert len(files) == 7
    assert set(ours.values()) <= files


def test_a_record_that_is_there_is_never_written_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine = book(tmp_path)
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "2026-10-01.json").write_bytes(b"of an earlier key")
    mine.add(day(mine, "2026-10-01"))
    assert whole(mine) == 1
    assert b"of an earlier key" in {path.read_bytes() for path in (tmp_path / "days").iterdir()}
    assert "2026-10-01" in caplog.text

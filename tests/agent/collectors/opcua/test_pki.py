"""What is believed of a certificate, and the folder that says so."""

from __future__ import annotations

import datetime as dt
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from agent.cli import main as tsq_agent
from agent.collectors.opcua.certificates import (
    UNKNOWN,
    Known,
    Moment,
    application_uris,
    complaint,
    der,
    described,
    host_note,
    split,
    thumbprint,
)
from agent.collectors.opcua.faults import untrusted
from agent.collectors.opcua.pki import MOST_REJECTED, Pki, ending
from agent.errors import Refused
from settings.released import RELEASED_NS
from tests.agent.collectors.opcua.certs import NOW, OTHER_KEY, make, revoke

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

DAY = dt.timedelta(days=1)
URI = "urn:test:plant"


def moment(after: dt.timedelta = dt.timedelta(), *, trusted: bool = True, passed_ns: int = RELEASED_NS) -> Moment:
    return Moment(round((NOW + after).timestamp()) * 10**9, trusted, passed_ns)


AT = moment()


def said(*chain: x509.Certificate, known: Known | None = None, at: Moment = AT, uri: str | None = URI) -> str:
    """What is complained about, "" when nothing is."""
    text = complaint(chain, uri, known or Known(trusted=[chain[0]]), at)
    return "" if text is None else text.en


def test_a_trusted_certificate_is_believed_and_an_unknown_one_waits_for_a_person() -> None:
    server = make().certificate
    assert said(server) == ""
    assert said(server, known=Known()) == UNKNOWN.en
    assert said(server, known=Known(issuers=[server])) == UNKNOWN.en
    twin = make().certificate  # same name, same key, another certificate
    assert said(server, known=Known(trusted=[twin])) == UNKNOWN.en


def test_an_expired_or_future_certificate_is_refused_even_when_it_is_trusted() -> None:
    old = make(until=-DAY, since=-3 * DAY).certificate
    assert "has expired on 2026-11-21" in said(old)
    early = make(since=DAY).certificate
    assert "valid from 2026-11-23" in said(early)
    assert said(early, at=moment(2 * DAY)) == ""


def test_without_a_trusted_clock_only_what_has_certainly_expired_is_refused() -> None:
    lost = moment(dt.timedelta(days=-20_000), trusted=False)  # 1972
    early = make(since=DAY).certificate
    assert said(early, at=lost) == ""
    ended = make(since=dt.timedelta(days=-90), until=dt.timedelta(days=-60)).certificate  # before the release
    assert "has expired" in said(ended, at=lost)
    later = make(until=10 * DAY).certificate  # perhaps expired: nobody knows
    assert said(later, at=lost) == ""
    known = moment(dt.timedelta(days=-20_000), trusted=False, passed_ns=moment(11 * DAY).now_ns)
    assert "has expired" in said(later, at=known)
    assert said(later, known=Known(), at=lost) == UNKNOWN.en  # every other check stays
    assert "ApplicationUri" in said(later, uri="urn:other", at=lost)


def test_the_application_uri_must_be_the_endpoints() -> None:
    text = said(make(uri="urn:old:name").certificate)
    assert "urn:old:name" in text
    assert URI in text
    assert "make a new certificate in the server" in text
    assert "ApplicationUri -" in said(make(uri=None).certificate)


def test_a_weak_or_foreign_key_is_refused() -> None:
    assert "not RSA" in said(make(key=ec.generate_private_key(ec.SECP256R1())).certificate)


def test_a_trusted_authority_stands_for_its_servers() -> None:
    root = make("root", key=OTHER_KEY, ca=True, uri=None)
    middle = make("middle", key=OTHER_KEY, ca=True, uri=None, issuer=root)
    server = make(issuer=middle).certificate
    trusted = Known(trusted=[root.certificate], issuers=[middle.certificate])
    assert said(server, known=trusted) == ""
    assert said(server, middle.certificate, known=Known(trusted=[root.certificate])) == ""  # sent with it
    assert said(server, known=Known(trusted=[root.certificate])) == UNKNOWN.en  # a link is missing
    assert said(server, middle.certificate, known=Known(issuers=[root.certificate])) == UNKNOWN.en
    revoked = [revoke(middle, server)]
    assert "revoked" in said(server, known=Known([root.certificate], [middle.certificate], revoked))
    forged = [revoke(make("middle", key=make().key, ca=True), server)]  # of somebody with the same name
    assert said(server, known=Known([root.certificate], [middle.certificate], forged)) == ""


def test_an_authority_must_be_one_and_be_valid() -> None:
    server = make("somebody", key=OTHER_KEY, uri=None)  # no authority
    assert said(make(issuer=server).certificate, known=Known(trusted=[server.certificate])) == UNKNOWN.en
    old = make("root", key=OTHER_KEY, ca=True, uri=None, until=-DAY, since=-3 * DAY)
    assert "its issuer CN=root is not valid" in said(
        make(issuer=old).certificate, known=Known(trusted=[old.certificate])
    )
    root = make("root", key=OTHER_KEY, ca=True, uri=None)
    other = make("root", ca=True, uri=None)  # the same name, another key: it has not signed
    assert said(make(issuer=root).certificate, known=Known(trusted=[other.certificate])) == UNKNOWN.en


def test_of_an_authority_that_has_renewed_its_certificate_the_valid_one_counts() -> None:
    old = make("root", key=OTHER_KEY, ca=True, uri=None, until=-DAY, since=-3 * DAY)
    root = make("root", key=OTHER_KEY, ca=True, uri=None)
    server = make(issuer=root).certificate
    for trusted in ([old.certificate, root.certificate], [root.certificate, old.certificate]):
        assert said(server, known=Known(trusted=trusted)) == ""


def test_an_authority_with_an_elliptic_key_revokes_too() -> None:
    root = make("root", key=ec.generate_private_key(ec.SECP256R1()), ca=True, uri=None)
    server = make(issuer=root).certificate
    assert said(server, known=Known(trusted=[root.certificate])) == ""
    assert "revoked" in said(server, known=Known(trusted=[root.certificate], revoked=[revoke(root, server)]))


def _broken() -> dict[str, bytes]:
    """Certificates with a part that the library meets only when it is asked for that part."""
    data = der(make().certificate)
    name = data.index(b"plc.local") - 2
    return {
        "a kind of name nobody knows": data[:name] + b"\xa3" + data[name + 1 :],
        "an extension twice": data.replace(bytes.fromhex("551d13"), bytes.fromhex("551d11")),
        "a kind of key nobody knows": data.replace(
            bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01010f")
        ),
        "a name that is no text": data.replace(b"plc", b"\xff\xfe\xff", 1),
    }


@pytest.mark.parametrize("data", _broken().values(), ids=_broken())
def test_a_certificate_with_a_broken_part_is_refused_and_spoils_no_folder(data: bytes, tmp_path: Path) -> None:
    try:
        (certificate,) = split(data)
    except ValueError:
        pass
    else:
        assert said(certificate, known=Known()) not in {"", UNKNOWN.en}
        Pki(tmp_path).refuse(certificate)
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "theirs.der").write_bytes(data)
    assert all(entry.described() for entry in Pki(tmp_path).entries())


def test_what_a_certificate_calls_itself_steers_no_terminal_and_makes_no_line_of_a_log() -> None:
    hostile = make("plc\n2026-11-22 all is well\x1b[2J" + "x" * 20).certificate
    text = str(Refused(untrusted("plc", hostile, UNKNOWN)))
    assert text.isprintable()
    assert "is not trusted yet" in text
    assert len(str(Refused("x" * 1_000_000))) == 2000


def test_a_chain_is_taken_apart_and_rubbish_is_an_error() -> None:
    root = make("root", key=OTHER_KEY, ca=True)
    server = make(issuer=root)
    whole = der(server.certificate) + der(root.certificate)
    assert split(whole) == [server.certificate, root.certificate]
    assert split(None) == split(b"") == []
    for bad in (b"x", whole[:-1], whole + b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x89" + b"\0" * 20):
        with pytest.raises(ValueError, match=r"."):
            split(bad)


def test_another_host_name_is_a_note() -> None:
    server = make().certificate
    assert host_note(server, "PLC.local") is None
    assert host_note(server, "192.168.0.10") == "the certificate names plc.local, we connect to 192.168.0.10"


# the folder


def test_our_certificate_is_made_once_and_its_key_is_ours_alone(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    owner = pki.own(AT)
    assert pki.own(AT).certificate == owner.certificate
    key = tmp_path / "pki" / "own" / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    facts = described(owner.certificate)
    assert facts["key_bits"] == 2048
    assert application_uris(owner.certificate)[0].startswith("urn:tech-square-edge:agent:")
    years = (owner.certificate.not_valid_after_utc - NOW) / dt.timedelta(days=365)
    assert 5 <= years <= 10
    (tmp_path / "pki" / "own" / "certificate.der").unlink()
    assert application_uris(pki.own(AT).certificate) == application_uris(
        owner.certificate
    )  # the key says who we are
    renewed = pki.renew(AT)
    assert thumbprint(renewed.certificate) != thumbprint(owner.certificate)
    assert renewed.certificate.public_key() == owner.certificate.public_key()


def test_our_certificate_warns_sixty_days_before_its_end(tmp_path: Path) -> None:
    owner = Pki(tmp_path).own(AT)
    end = owner.certificate.not_valid_after_utc - NOW
    assert ending(owner, moment(end - 61 * DAY)) is None
    text = ending(owner, moment(end - 59 * DAY))
    assert text is not None
    assert "pki own --renew" in text.en
    assert "pki own --renew" in text.ko


def test_two_that_make_our_certificate_at_once_get_the_same(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from agent.collectors.opcua.certificates import Moment, thumbprint\n"
        "from agent.collectors.opcua.pki import Pki\n"
        "print(thumbprint(Pki(pathlib.Path(sys.argv[1])).own(Moment(1795305600 * 10**9, True)).certificate))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pki")], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    assert len({process.communicate(timeout=60)[0] for process in both}) == 1
    assert {path.name for path in (tmp_path / "pki" / "own").iterdir()} == {"key.pem", "certificate.der"}


def test_a_damaged_file_of_ours_is_said_and_not_overwritten(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    pki.own(AT)
    key = tmp_path / "own" / "key.pem"
    key.write_bytes(b"")
    with pytest.raises(Refused, match="restore it from a backup"):
        pki.own(AT)
    assert key.read_bytes() == b""


def test_what_was_refused_is_kept_but_not_without_end(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    for number in range(MOST_REJECTED + 3):
        pki.refuse(make(f"plc {number}").certificate)
        newest = max((tmp_path / "rejected").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, ns=(number, number))
    left = {entry.certificate.subject.rfc4514_string() for entry in pki.entries("rejected")}
    assert len(left) == MOST_REJECTED
    assert "CN=plc 0" not in left


def test_other_peoples_files_are_read_in_both_forms(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    root = make("root", key=OTHER_KEY, ca=True, uri=None)
    server = make(issuer=root).certificate
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "their root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "trusted" / "notes.txt").write_bytes(b"call Kim")
    (tmp_path / "trusted" / "broken.der").write_bytes(b"\x30")
    assert said(server, known=pki.known()) == ""
    (tmp_path / "trusted" / "their.crl").write_bytes(revoke(root, server).public_bytes(Encoding.DER))
    assert "revoked" in said(server, known=pki.known())


# the verb


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file of an agent without devices."""
    file = tmp_path / "agent.yaml"
    file.write_text(
        "version: 1\nfactory: hanil\nagent: line-1\nname: 한일정밀\ntime: {zone: Asia/Seoul}\nmachines: [{id: m}]\n"
        f"storage: {{directory: {tmp_path}/state}}\nuplink: {{site: {{host: 127.0.0.1}}}}\n",
        "utf-8",
    )
    return file


def test_the_verb_lists_trusts_rejects_and_exports(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def pki(*words: str, lang: str = "en") -> tuple[int, str]:
        code = tsq_agent(["--lang", lang, "pki", *words, "--config", str(config)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    folder = Pki(tmp_path / "state" / "pki")
    assert "is empty" in pki("list")[1]
    server = make("press 3").certificate
    folder.refuse(server)
    mark = thumbprint(server)
    code, text = pki("list", lang="ko")
    assert code == 0
    assert "거부됨" in text
    assert mark in text
    assert pki("show", mark[:8])[0] == 0
    code, text = pki("trust", ":".join(mark[i : i + 2] for i in range(0, 8, 2)).lower())  # as other tools write it
    assert code == 0
    assert "CN=press 3" in text
    assert [(e.state, e.thumbprint) for e in folder.entries()] == [("trusted", mark)]
    assert pki("reject", mark)[0] == 0
    assert [e.state for e in folder.entries()] == ["rejected"]
    assert pki("trust", ":")[0] == pki("trust", " ")[0] == pki("trust", "")[0] == 1  # begins every thumbprint
    assert [e.state for e in folder.entries()] == ["rejected"]
    code, text = pki("trust", "00ff00ff")
    assert code == 1
    assert "no certificate begins with 00ff00ff" in text
    file = tmp_path / "from the vendor.cer"
    file.write_bytes(der(make("press 4").certificate))
    assert pki("trust", str(file))[0] == 0
    out = tmp_path / "agent.der"
    code, text = pki("own", "--out", str(out), lang="ko")
    assert code == 0
    assert "서버 관리자에게 신뢰 등록" in text
    assert out.read_bytes() == der(folder.own(AT).certificate)
    before = thumbprint(folder.own(AT).certificate)
    assert pki("own", "--renew")[0] == 0
    assert thumbprint(folder.own(AT).certificate) != before

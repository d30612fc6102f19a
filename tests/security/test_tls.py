"""TLS with a real broker: what is accepted, what is refused, and that each refusal says what to do."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from settings.broker import Broker
from settings.errors import ConfigError
from settings.handshake import Moment
from tests.security.broker import SECONDS, Client, mosquitto
from tests.support.brokers import mosquitto as plain_mosquitto
from tests.support.certificates import DAY, Authority, Pair, now
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from settings.handshake import Secured

HANGUL = re.compile("[가-힣]")


def broker(port: int, tls: object, host: str = "127.0.0.1") -> Broker:
    return Broker.model_validate({"host": host, "port": port, "tls": tls})


def attempt(settings: Broker, known: Callable[[], Moment] | None = None) -> Secured:
    """Connect once; return the context of the connection, whose `trouble` is None when the broker accepted it."""
    context = settings.context(known)
    assert context is not None
    client = Client("client", context)
    client.start(settings.port, settings.host)
    try:
        deadline = time.monotonic() + SECONDS
        while not client.connected.wait(0.02) and not client.failed.is_set():
            assert time.monotonic() < deadline, "neither accepted nor refused"
    finally:
        client.stop()
    assert client.connected.is_set() == (context.trouble is None), context.trouble
    return context


class Site:
    """A broker and the authority that all here believe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "pki")
        self.edge = self.authority.issue("hanil.edge-1")

    def tls(self, pair: Pair | None = None, **more: str) -> dict[str, str]:
        return (pair or self.edge).settings(self.authority.file, **more)

    def broker(self, server: Pair | None = None, **more: Any) -> Any:
        server = server or self.authority.issue("broker", server=True)
        return running(mosquitto(self.folder / "broker", self.authority.file, server, **more))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_certificate_of_the_right_authority_is_enough(site: Site) -> None:
    with site.broker() as child:
        assert attempt(broker(child.port, site.tls())).trouble is None
        assert attempt(broker(child.port, site.tls(), host="localhost")).trouble is None
    assert "u'hanil.edge-1'" in child.output()


def test_a_renewed_certificate_needs_no_restart(site: Site) -> None:
    settings = broker(1, site.tls())
    with site.broker() as child:
        settings = broker(child.port, site.tls())
        assert attempt(settings).trouble is None
        site.authority.issue("hanil.edge-2", file="hanil.edge-1")
        assert attempt(settings).trouble is None
    assert "u'hanil.edge-2'" in child.output()


def test_a_key_may_be_encrypted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = site.authority.issue("hanil.edge-1", password="a long one")
    monkeypatch.setenv("KEY_PASSWORD", "a long one")
    with site.broker() as child:
        assert attempt(broker(child.port, site.tls(pair, key_password="env:KEY_PASSWORD"))).trouble is None
    for settings in (site.tls(pair), site.tls(pair, key_password="env:WRONG")):
        monkeypatch.setenv("WRONG", "another one")
        with pytest.raises(ConfigError, match=r"hanil\.edge-1\.key is encrypted, and its password") as caught:
            broker(1, settings).context()
        assert "another" not in str(caught.value)


def test_credentials_of_the_service_manager_are_files(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = site.folder / "credentials"
    folder.mkdir()
    os.link(site.authority.file, folder / "ca")
    os.link(site.edge.certificate, folder / "certificate")
    os.link(site.edge.key, folder / "key.pem")
    tls = {"ca": "credential:ca", "certificate": "credential:certificate", "key": "credential:key.pem"}
    with pytest.raises(ConfigError, match="credential:ca: the service manager has handed over no credentials"):
        broker(1, tls).context()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    with site.broker() as child:
        assert attempt(broker(child.port, tls)).trouble is None


def test_another_authority_is_not_believed(site: Site) -> None:
    other = Authority(site.folder / "other", "Other Authority")
    with site.broker(other.issue("broker", server=True)) as child:
        trouble = attempt(broker(child.port, site.tls())).trouble
    assert trouble is not None
    assert "nobody whom we believe has signed the broker's certificate" in trouble.en


def test_the_systems_authorities_do_not_believe_ours(site: Site) -> None:
    with site.broker(identity=False) as child:
        trouble = attempt(broker(child.port, True)).trouble
    assert trouble is not None
    assert "tls.ca" in trouble.en


def test_a_certificate_for_another_name_is_refused_unless_the_name_is_given(site: Site) -> None:
    with site.broker(site.authority.issue("broker", server=True, hosts=("mqtt.hanil.example",))) as child:
        for host in ("127.0.0.1", "localhost"):
            trouble = attempt(broker(child.port, site.tls(), host)).trouble
            assert trouble is not None
            assert f"does not hold the name {host}" in trouble.en
        assert attempt(broker(child.port, site.tls(server_name="mqtt.hanil.example"))).trouble is None


def test_a_common_name_is_no_name(site: Site) -> None:
    with site.broker(site.authority.issue("localhost", server=True, hosts=())) as child:
        trouble = attempt(broker(child.port, site.tls(), "localhost")).trouble
        assert trouble is not None
        assert "a common name alone does not count" in trouble.en


def test_a_server_certificate_that_has_expired_or_is_not_valid_yet(site: Site) -> None:
    for begin, end, word in ((-9, -1, "has expired"), (+1, +9, "not valid yet")):
        server = site.authority.issue("broker", server=True, begin=now() + begin * DAY, end=now() + end * DAY)
        with site.broker(server) as child:
            trouble = attempt(broker(child.port, site.tls())).trouble
        assert trouble is not None
        assert word in trouble.en


def moment(days: float, *, exact: bool) -> Callable[[], Moment]:
    at = Moment(round((now() + dt.timedelta(days=days)).timestamp() * 1e9), exact)
    return lambda: at


def test_dates_are_held_against_what_is_known_of_the_time(site: Site) -> None:
    """The certificate is valid from tomorrow for eight days; this machine's clock is never asked."""
    server = site.authority.issue("broker", server=True, begin=now() + DAY, end=now() + 9 * DAY)
    with site.broker(server) as child:
        settings = broker(child.port, site.tls())

        def trouble(days: float, *, exact: bool) -> str:
            found = attempt(settings, moment(days, exact=exact)).trouble
            return "" if found is None else found.en

        assert trouble(5, exact=True) == ""
        assert "not valid yet" in trouble(0, exact=True)
        assert "has expired" in trouble(10, exact=True)
        assert trouble(0, exact=False) == "", "it may well be later than that"
        assert trouble(5, exact=False) == ""
        assert "has expired" in trouble(10, exact=False)


def test_every_other_check_stays_where_the_time_is_not_known(site: Site) -> None:
    wrong = Authority(site.folder / "other").issue("broker", server=True)
    with site.broker(wrong) as child:
        trouble = attempt(broker(child.port, site.tls()), moment(0, exact=False)).trouble
    assert trouble is not None
    assert "nobody whom we believe" in trouble.en
    with site.broker(site.authority.issue("broker", server=True, hosts=("elsewhere",))) as child:
        trouble = attempt(broker(child.port, site.tls()), moment(0, exact=False)).trouble
    assert trouble is not None
    assert "does not hold the name" in trouble.en
    with site.broker(site.authority.issue("broker")) as child:  # a client's certificate
        trouble = attempt(broker(child.port, site.tls()), moment(0, exact=False)).trouble
    assert trouble is not None
    assert "refused" in trouble.en


def test_what_the_broker_says_of_our_certificate(site: Site) -> None:
    expired = site.authority.issue("hanil.edge-9", begin=now() - 9 * DAY, end=now() - DAY)
    stranger = Authority(site.folder / "other", "Other Authority").issue("hanil.edge-8")
    namesake = Authority(site.folder / "same").issue("hanil.edge-7")
    with site.broker() as child:
        found = {
            name: attempt(broker(child.port, tls)).trouble
            for name, tls in (
                ("expired", site.tls(expired)),
                ("stranger", site.tls(stranger)),
                ("namesake", site.tls(namesake)),
                ("none", {"ca": str(site.authority.file)}),
            )
        }
    words = {name: "" if text is None else text.en for name, text in found.items()}
    assert "our certificate has expired" in words["expired"]
    assert "does not know who has signed our certificate" in words["stranger"]
    assert "another authority of the name" in words["namesake"]
    assert "asks for a certificate" in words["none"]
    assert all(text is not None and HANGUL.search(text.ko) for text in found.values())


def test_a_broker_without_tls_is_recognised(tmp_path: Path, site: Site) -> None:
    with running(plain_mosquitto(tmp_path / "plain")) as child:
        trouble = attempt(broker(child.port or 0, site.tls())).trouble
    assert trouble is not None
    assert "no TLS is spoken at this port" in trouble.en


def test_files_that_do_not_fit_are_named(site: Site) -> None:
    other = site.authority.issue("hanil.edge-2")
    text = site.folder / "notes.txt"
    text.write_text("내일 갱신")
    for tls, words in (
        (site.tls() | {"key": str(other.key)}, "edge-2.key is not the key of .*edge-1.pem"),
        (site.tls() | {"key": str(text)}, "notes.txt: no private key in PEM"),
        (site.tls() | {"certificate": str(text)}, "notes.txt: no certificate in PEM"),
        (site.tls() | {"ca": str(text)}, "notes.txt: no certificate authority in PEM"),
        (site.tls() | {"ca": "/nowhere/ca.pem"}, "/nowhere/ca.pem: No such file or directory"),
        (site.tls() | {"key": "/nowhere/key"}, "/nowhere/key: No such file or directory"),
    ):
        with pytest.raises(ConfigError, match=words):
            broker(1, tls).context()


def test_the_first_certificate_of_a_chain_to_expire_counts(site: Site) -> None:
    soon = now() + 5 * DAY
    pair = site.authority.issue("hanil.edge-1", end=soon)
    pair.certificate.write_bytes(site.authority.file.read_bytes() + pair.certificate.read_bytes())
    tls = broker(1, site.tls(pair)).tls
    assert tls is not None
    assert tls.expires_ns() == int(soon.timestamp()) * 10**9

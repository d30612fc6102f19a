"""All security modes, policies and logins against node-opcua; what is refused, and in which words."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pydantic import ValidationError

from agent.collectors.opcua import security
from agent.collectors.opcua.pki import Pki
from agent.errors import Refused
from settings.language import Complaint
from tests.agent.collectors.opcua.certs import make
from tests.agent.collectors.opcua.support import Seen, collector, device, run, signals, trusted
from tests.peers.opcua import Plant, opcua_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
MODES = (("None", "auto"), *itertools.product(("Sign", "SignAndEncrypt"), POLICIES))
GROUPS: tuple[dict[str, Any], ...] = (
    {"id": "sub", "signals": signals(int32="int32", counter="uint32")},
    {"id": "poll", "mode": "poll", "signals": [{"id": "s", "type": "string", "node": "ns=1;s=string"}]},
)
USER = make("operator", uri=None)
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server that offers every mode and policy."""
    with opcua_server(
        tmp_path_factory.mktemp("vault"),
        users={"op": "right"},
        policies=["None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256"],
        modes=["None", "Sign", "SignAndEncrypt"],
    ) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's certificates, the same in all tests of this module."""
    return tmp_path_factory.mktemp("agent") / "pki"


@pytest.fixture
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any] | None]:
    """One login of each kind."""
    monkeypatch.setenv("OPCUA_PASSWORD", "right")
    monkeypatch.setenv("KEY_PASSWORD", "sesame")
    certificate, key = USER.write(tmp_path, b"sesame")
    return {
        "anonymous": None,
        "user": {"user": "op", "password": "env:OPCUA_PASSWORD"},
        "certificate": {"certificate": certificate, "key": key, "key_password": "env:KEY_PASSWORD"},
    }


@pytest.mark.parametrize(("mode", "policy"), MODES)
def test_it_reads_and_subscribes_in_every_mode_with_every_login(
    vault: Plant, folder: Path, logins: dict[str, dict[str, Any] | None], mode: str, policy: str
) -> None:
    async def main() -> None:
        for kind, login in logins.items():
            more: dict[str, Any] = {"security": mode, "policy": policy} | ({"login": login} if login else {})
            reader = await trusted(collector(vault.endpoint, *GROUPS, pki=folder, **more), folder)
            seen = Seen()
            async with reader.connect() as read:
                await seen.until(read, lambda: all(seen.rows(s) for s in ("int32", "s")))  # noqa: B023
                number = (
                    int(vault.tell("sessions")["sessions"]) * 1000 + MODES.index((mode, policy)) * 10 + len(kind)
                )
                vault.tell("set", node="counter", value=number)
                await seen.until(read, lambda: number in seen.values("counter"))  # noqa: B023
            assert seen.values("int32")[0] == -(2**31)
            assert seen.values("s")[0] == "한일정밀"
            body = seen.facts[0].body
            assert (body["mode"], body["token"]) == (mode, kind)
            assert body["policy"] == (policy if mode != "None" else "None")
            assert body["password"] == ("encrypted" if kind == "user" else "none")
            assert body["peer_authenticated"] is (mode != "None")
            assert isinstance(body["certificate"], dict)
            assert body["certificate"]["key_bits"] == 2048
            assert body["certificate"]["application_uris"] == ["urn:test:plant"]
        assert vault.tell("sessions")["sessions"] == 0

    run(main(), 60)


def test_auto_takes_the_strongest_of_ours(vault: Plant, folder: Path) -> None:
    async def main() -> None:
        reader = await trusted(collector(vault.endpoint, *GROUPS, pki=folder, security="Sign"), folder)
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.facts))
        assert seen.facts[0].body["policy"] == "Aes256Sha256RsaPss"

    run(main())


def test_an_unknown_server_is_refused_with_its_fingerprint_and_the_command_that_trusts_it(
    vault: Plant, tmp_path: Path
) -> None:
    async def main() -> None:
        folder = tmp_path / "pki"
        reader = collector(vault.endpoint, *GROUPS, pki=folder, security="SignAndEncrypt")
        with pytest.raises(Refused) as caught:
            async with reader.connect():
                pass
        (entry,) = Pki(folder).entries()
        assert entry.state == "rejected"
        text = caught.value.text
        for words in (text.en, text.ko):
            assert entry.thumbprint in words
            assert f"tsq-agent pki trust {entry.thumbprint[:8]}" in words
        assert not (folder / "own" / "key.pem").exists()  # nobody has been told who we are
        Pki(folder).trust(entry.certificate)
        async with reader.connect():
            pass
        Pki(folder).reject(entry.certificate)
        with pytest.raises(Refused, match="pki trust"):
            async with reader.connect():
                pass

    run(main())


@pytest.mark.parametrize(
    ("offers", "asks", "words"),
    [
        (
            {"policies": ["Basic256Sha256"], "modes": ["Sign"]},
            {"security": "SignAndEncrypt"},
            "does not offer security SignAndEncrypt; it offers Sign/Basic256Sha256: write security: Sign / policy",
        ),
        (
            {"policies": ["Basic256Sha256"], "modes": ["SignAndEncrypt"]},
            {"security": "SignAndEncrypt", "policy": "Aes256Sha256RsaPss"},
            "does not offer security SignAndEncrypt/Aes256Sha256RsaPss; it offers SignAndEncrypt/Basic256Sha256",
        ),
        (
            {"policies": ["Basic256"], "modes": ["Sign"]},
            {"security": "Sign"},
            "offers Sign/Basic256 only, which is not",
        ),
    ],
)
def test_nothing_weaker_is_taken_instead(
    tmp_path: Path, offers: dict[str, Any], asks: dict[str, Any], words: str
) -> None:
    async def main(plant: Plant) -> None:
        with pytest.raises(Refused) as caught:
            async with collector(plant.endpoint, *GROUPS, pki=tmp_path / "agent", **asks).connect():
                pass
        assert words in caught.value.text.en

    with opcua_server(tmp_path / "plant", **offers) as plant:
        run(main(plant))


@pytest.mark.parametrize(
    ("more", "en", "ko"),
    [
        ({"security": "Sign", "policy": "Basic128Rsa15"}, "is broken and is not spoken", "더 이상 안전하지 않아"),
        ({"security": "SignAndEncrypt", "policy": "Basic256"}, "write policy: auto", "policy: auto로"),
        ({"security": "None", "policy": "Basic256Sha256"}, "policy belongs to security", "policy는 security"),
        ({"login": {"user": "op"}}, "write user and password, or certificate and key", "user와 password를 쓰거나"),
        (
            {"login": {"certificate": "/a", "key": "/b", "user": "op", "password": "env:X"}},
            "or certificate",
            "certificate와",
        ),
        ({"login": {"certificate": "/a"}}, "or certificate and key", "certificate와 key"),
        ({"login": {"certificate": "/a", "key": "/b", "plain_password": True}}, "or certificate", "certificate와"),
    ],
)
def test_what_cannot_be_meant_is_said_in_both_languages(more: dict[str, Any], en: str, ko: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device("opc.tcp://plc:4840", *GROUPS, **more)
    (error,) = caught.value.errors()
    complaint = error["ctx"]["error"]
    assert isinstance(complaint, Complaint)
    assert en in complaint.text.en
    assert ko in complaint.text.ko


# what is chosen, without a server: endpoints as servers of others describe them


def endpoint(mode: str, policy: str, *tokens: tuple[str, str | None], certificate: bytes = b"x") -> Any:
    described = ua.EndpointDescription()
    described.SecurityMode = ua.MessageSecurityMode[{"None": "None_"}.get(mode, mode)]
    described.SecurityPolicyUri = f"http://opcfoundation.org/UA/SecurityPolicy#{policy}"
    described.ServerCertificate = certificate
    described.UserIdentityTokens = [
        ua.UserTokenPolicy(
            PolicyId=f"{kind}-{token}",
            TokenType=ua.UserTokenType[kind],
            SecurityPolicyUri=token and f"http://opcfoundation.org/UA/SecurityPolicy#{token}",
        )
        for kind, token in tokens
    ]
    return described


def choice(login: dict[str, Any] | None, mode: str, *endpoints: Any) -> security.Choice:
    more = {"login": login} if login else {}
    return security.choose("cnc", device("opc.tcp://plc:4840", *GROUPS, security=mode, **more), endpoints)


OP = {"user": "op", "password": "env:X"}


def test_a_password_takes_the_strongest_way_and_never_the_clear_one_without_the_word() -> None:
    best = choice(
        OP, "None", endpoint("None", "None", ("UserName", "Basic256"), ("UserName", "Aes256_Sha256_RsaPss"))
    )
    assert (best.token.PolicyId, best.password) == ("UserName-Aes256_Sha256_RsaPss", "encrypted")
    both = endpoint("None", "None", ("UserName", None), ("UserName", "Basic256Sha256"))
    assert choice(OP, "None", both).password == "encrypted"
    clear = endpoint("None", "None", ("UserName", None))
    with pytest.raises(Refused, match="plain_password: true"):
        choice(OP, "None", clear)
    assert choice({**OP, "plain_password": True}, "None", clear).password == "plain"
    uncertified = endpoint("None", "None", ("UserName", "Basic256Sha256"), certificate=b"")
    with pytest.raises(Refused, match="not safe"):
        choice(OP, "None", uncertified)  # nothing to encrypt with


def test_a_signed_channel_does_not_hide_a_password_and_an_encrypted_one_does() -> None:
    for mode in ("Sign", "SignAndEncrypt"):
        inherits = endpoint(mode, "Basic256Sha256", ("UserName", None))
        assert choice(OP, mode, inherits).password == "encrypted"
        assert choice(OP, mode, inherits).token_uri.endswith("#Basic256Sha256")
    clear = ("UserName", "None")
    with pytest.raises(Refused, match="plain_password: true"):
        choice(OP, "Sign", endpoint("Sign", "Basic256Sha256", clear))
    sealed = choice(OP, "SignAndEncrypt", endpoint("SignAndEncrypt", "Basic256Sha256", clear))
    assert (sealed.password, sealed.token_uri) == ("encrypted", "")


def test_an_endpoint_that_takes_the_login_is_preferred_to_a_stronger_one_that_does_not() -> None:
    strong = endpoint("Sign", "Aes256_Sha256_RsaPss", ("Certificate", None))
    weaker = endpoint("Sign", "Basic256Sha256", ("Anonymous", None))
    assert choice(None, "Sign", strong, weaker).policy == "Basic256Sha256"
    with pytest.raises(Refused, match="takes no UserName login, only Anonymous, Certificate"):
        choice(OP, "Sign", strong, weaker)


def test_a_long_password_is_encrypted_in_blocks() -> None:
    key = USER.key
    secret = "비밀" * 100
    way = choice(OP, "Sign", endpoint("Sign", "Basic256Sha256", ("UserName", None)))
    token = security.password(way, "op", secret, b"n" * 32, USER.certificate)
    plain = b"".join(key.decrypt(token.Password[i : i + 256], OAEP) for i in range(0, len(token.Password), 256))
    assert plain[4:] == secret.encode() + b"n" * 32
    assert int.from_bytes(plain[:4], "little") == len(plain) - 4

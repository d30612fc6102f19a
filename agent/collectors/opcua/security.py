"""Which of a server's endpoints is used, and how a user proves who he is. No I/O.

The configuration names the mode; the policy too, or `auto`: the strongest of our three that the server offers in
this mode. Nothing weaker is ever taken instead: what is not offered is refused, with what is and what to write. The
same holds for passwords: encrypted by the strongest token policy that the server offers, by an encrypting
channel, or else only when the file says `plain_password: true`.

asyncua 2.1.0 takes the first token policy of a kind, encrypts a password in one block (a long one fails), signs
nothing where no policy is named and sends the password in the clear after a log line. So tokens are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from asyncua import ua
from asyncua.crypto import security_policies as policies
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.collectors.opcua.certificates import der
from agent.errors import Refused
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography import x509

    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.pki import Owner

Password = Literal["none", "encrypted", "plain"]
"""How a password travels."""

OURS: Final[dict[str, Any]] = {
    "Basic256Sha256": policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": policies.SecurityPolicyAes256Sha256RsaPss,
}
"""By their names in the file, the weakest first, as the OPC Foundation's own stack ranks them."""

NONE_URI: Final = policies.SecurityPolicyNone.URI
TCP: Final = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"
NONCE: Final = 32
"""Least bytes of a server's nonce."""

_BY_URI = {policy.URI: name for name, policy in OURS.items()}
_RANK = {name: rank for rank, name in enumerate(OURS, 1)}
_OAEP_ONLY = policies.SecurityPolicyBasic256.URI  # retired for its signatures; its encryption is Basic256Sha256's


def short(uri: str | None) -> str:
    """Return the name of a policy as it is written in the file; of a foreign one, what stands behind the #."""
    return _BY_URI.get(uri or "", (uri or "").rpartition("#")[2] or "-")


@dataclass(frozen=True, slots=True)
class Choice:
    """How a server is spoken to.

    Attributes:
        endpoint: Its description.
        policy: Name of the channel's policy, "None" without security.
        token: Policy of the user token.
        token_uri: What encrypts or signs the token; empty for nothing.
        password: How the password travels.
    """

    endpoint: ua.EndpointDescription
    policy: str
    token: ua.UserTokenPolicy
    token_uri: str
    password: Password

    @property
    def mode(self) -> ua.MessageSecurityMode:
        """Of the channel."""
        mode: ua.MessageSecurityMode = self.endpoint.SecurityMode
        return mode

    @property
    def secure(self) -> bool:
        """Whether the channel is signed at least."""
        return self.policy != "None"

    @property
    def seals(self) -> bool:
        """Whether a password is encrypted for the holder of the server's certificate, whoever that is."""
        return self.password == "encrypted" and bool(self.token_uri)  # noqa: S105


def offered(endpoints: Iterable[ua.EndpointDescription]) -> list[dict[str, Any]]:
    """Return what a server offers, for facts."""
    return [
        {
            "url": e.EndpointUrl,
            "mode": e.SecurityMode.name.rstrip("_"),
            "policy": (e.SecurityPolicyUri or "").rpartition("#")[2],
            "level": int(e.SecurityLevel),
            "tokens": [t.TokenType.name for t in e.UserIdentityTokens or ()],
            "token_policies": [
                {"type": t.TokenType.name, "policy": (t.SecurityPolicyUri or "").rpartition("#")[2]}
                for t in e.UserIdentityTokens or ()
            ],
        }
        for e in endpoints
    ]


def _listed(endpoints: Iterable[ua.EndpointDescription]) -> str:
    offers = {f"{e.SecurityMode.name.rstrip('_')}/{short(e.SecurityPolicyUri)}" for e in endpoints}
    return ", ".join(sorted(offers)) or "-"


def choose(place: str, device: OpcUaDevice, endpoints: Sequence[ua.EndpointDescription]) -> Choice:
    """Return how to speak to a server.

    Args:
        place: Device and endpoint, for texts.
        device: Its configuration.
        endpoints: What the server offers.

    Raises:
        Refused: it does not offer what the file says.
    """
    spoken = [e for e in endpoints if not e.TransportProfileUri or e.TransportProfileUri == TCP]
    fitting = [e for e in spoken if _fits(device, e)]
    if not fitting:
        raise Refused(_not_offered(place, device, spoken))
    found = [choice for endpoint in fitting if (choice := _login(device, endpoint)) is not None]
    if not found:
        raise Refused(_no_login(place, device, fitting))
    best = max(found, key=lambda choice: (choice.password != "plain", _RANK.get(choice.policy, 0)))  # noqa: S105
    if best.password == "plain" and not (device.login and device.login.plain_password):  # noqa: S105
        raise Refused(_plain(place))
    return best


def _fits(device: OpcUaDevice, endpoint: ua.EndpointDescription) -> bool:
    if endpoint.SecurityMode.name.rstrip("_") != device.security:
        return False
    if device.security == "None":
        return bool(endpoint.SecurityPolicyUri == NONE_URI)
    name = _BY_URI.get(endpoint.SecurityPolicyUri)
    return name is not None and device.policy in {"auto", name}


def _login(device: OpcUaDevice, endpoint: ua.EndpointDescription) -> Choice | None:
    """Return the best way to log in at an endpoint, or None if it has none for us."""
    login = device.login
    kind = ua.UserTokenType.Anonymous
    if login is not None:
        kind = ua.UserTokenType.UserName if login.user is not None else ua.UserTokenType.Certificate
    ways: list[tuple[int, Choice]] = []
    for token in endpoint.UserIdentityTokens or ():
        if token.TokenType != kind:
            continue
        uri = token.SecurityPolicyUri or endpoint.SecurityPolicyUri
        policy = short(endpoint.SecurityPolicyUri)
        name = _BY_URI.get(uri)
        rank = _RANK.get(name or "", 0)
        password: Password = "none"  # noqa: S105 - how it travels
        if kind == ua.UserTokenType.UserName:
            known = name is not None or uri == _OAEP_ONLY
            if known and endpoint.ServerCertificate:
                password = "encrypted"  # noqa: S105
            elif uri == NONE_URI:
                sealed = endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt
                password, uri, rank = ("encrypted" if sealed else "plain"), "", -1
            else:
                continue
        elif kind == ua.UserTokenType.Certificate and name is None:
            continue
        elif kind == ua.UserTokenType.Anonymous:
            uri = ""
        ways.append((rank, Choice(endpoint, policy, token, uri, password)))
    return max(ways, key=lambda way: way[0])[1] if ways else None


def _not_offered(place: str, device: OpcUaDevice, endpoints: Sequence[ua.EndpointDescription]) -> Text:
    wanted = device.security if device.policy == "auto" else f"{device.security}/{device.policy}"
    listed = _listed(endpoints)
    ours = [e for e in endpoints if short(e.SecurityPolicyUri) in {*OURS, "None"}]
    best = max(ours, key=lambda e: (e.SecurityMode, _RANK.get(short(e.SecurityPolicyUri), 0)), default=None)
    if best is None:
        return Text(
            f"{place}: the server offers {listed} only, which is not safe any more: let its administrator switch "
            "on Basic256Sha256 or better",
            f"{place}: 서버가 제공하는 보안({listed})은 더 이상 안전하지 않습니다. "
            "서버 관리자에게 Basic256Sha256 이상을 켜 달라고 하십시오",
        )
    mode = best.SecurityMode.name.rstrip("_")
    write = f"security: {mode}" + ("" if mode == "None" else f" / policy: {short(best.SecurityPolicyUri)}")
    return Text(
        f"{place}: the server does not offer security {wanted}; it offers {listed}: write {write}, or switch "
        f"{wanted} on in the server",
        f"{place}: 서버가 보안 {wanted}을(를) 제공하지 않습니다. 제공하는 것: {listed}. "
        f"설정을 {write}(으)로 바꾸거나, 서버에서 {wanted}을(를) 켜십시오",
    )


def _no_login(place: str, device: OpcUaDevice, endpoints: Sequence[ua.EndpointDescription]) -> Text:
    kinds = sorted({t.TokenType.name for e in endpoints for t in e.UserIdentityTokens or ()})
    have = ", ".join(kinds) or "-"
    wanted = "Anonymous"
    if device.login is not None:
        wanted = "UserName" if device.login.user is not None else "Certificate"
    if wanted in kinds:
        return Text(
            f"{place}: the server takes a {wanted} login only in a way that is not safe any more: let its "
            "administrator give its user tokens the policy Basic256Sha256 or better",
            f"{place}: 서버의 {wanted} 로그인 방식이 더 이상 안전하지 않습니다. "
            "서버 관리자에게 사용자 토큰 정책을 Basic256Sha256 이상으로 바꿔 달라고 하십시오",
        )
    advice = Text("write a login", "login을 쓰십시오")
    if device.login is not None:
        advice = Text(
            "write another login, or let the server admit this kind",
            "login을 바꾸거나 서버에서 이 로그인 방식을 허용하십시오",
        )
    return Text(
        f"{place}: the endpoint takes no {wanted} login, only {have}: {advice.en}",
        f"{place}: 서버가 {wanted} 로그인을 받지 않습니다(받는 것: {have}). {advice.ko}",
    )


def _plain(place: str) -> Text:
    return Text(
        f"{place}: the server would take the password only in the clear, readable by anybody on the network: write "
        "security: SignAndEncrypt if it offers that, or plain_password: true under login if that is all right",
        f"{place}: 이 연결에서는 비밀번호가 암호화되지 않고 그대로 전송됩니다. 서버가 지원하면 "
        "security: SignAndEncrypt로 바꾸고, 그래도 괜찮다면 login에 plain_password: true를 쓰십시오",
    )


_UNSEALED: Final = Text(
    "the server's certificate has no key that could encrypt the password, so it was not sent: make a new "
    "certificate in the server",
    "서버 인증서에 비밀번호를 암호화할 키가 없어 비밀번호를 보내지 않았습니다. 서버에서 새 인증서를 만드십시오",
)


# what a user shows


def channel_policy(choice: Choice, server: x509.Certificate | None, owner: Owner | None) -> Any:
    """Return asyncua's policy of a channel."""
    if not choice.secure or owner is None:
        return policies.SecurityPolicyNone()  # type: ignore[no-untyped-call]
    return OURS[choice.policy](server, owner.certificate, owner.key, choice.mode)


def anonymous(choice: Choice) -> ua.AnonymousIdentityToken:
    """Return the token of nobody."""
    token = ua.AnonymousIdentityToken()
    token.PolicyId = choice.token.PolicyId
    return token


def password(
    choice: Choice, user: str, secret: str, nonce: bytes, server: x509.Certificate | None
) -> ua.UserNameIdentityToken:
    """Return the token of a user with a password (Part 4, 7.40.2.2)."""
    token = ua.UserNameIdentityToken()
    token.PolicyId = choice.token.PolicyId
    token.UserName = user
    plain = secret.encode()
    if choice.token_uri:
        key = server.public_key() if server is not None else None
        if not isinstance(key, rsa.RSAPublicKey):  # never the clear way instead
            raise Refused(_UNSEALED)
        policy = OURS.get(_BY_URI.get(choice.token_uri, ""), policies.SecurityPolicyBasic256)
        room = key.key_size // 8 - (66 if policy is policies.SecurityPolicyAes256Sha256RsaPss else 42)
        whole = (len(plain) + len(nonce)).to_bytes(4, "little") + plain + nonce
        blocks = (whole[i : i + room] for i in range(0, len(whole), room))
        token.Password = b"".join(policy.encrypt_asymmetric(key, block) for block in blocks)
        token.EncryptionAlgorithm = policy.AsymmetricEncryptionURI
    else:
        token.Password = plain
        token.EncryptionAlgorithm = None
    return token


def certificate(choice: Choice, user: Owner, challenge: bytes) -> tuple[ua.X509IdentityToken, ua.SignatureData]:
    """Return the token of a user with a certificate, and its proof: the server's challenge, signed."""
    token = ua.X509IdentityToken()
    token.PolicyId = choice.token.PolicyId
    token.CertificateData = der(user.certificate)
    signature, algorithm = policies.sign_asymmetric(user.key, challenge, choice.token_uri)  # type: ignore[no-untyped-call]
    return token, ua.SignatureData(Algorithm=algorithm, Signature=signature)

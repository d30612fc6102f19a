"""What a technician writes about an OPC UA server. Importing this does not import asyncua."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from agent.collectors.opcua.signals import OpcUaGroup
from agent.config.base import DeviceBase, Timeout
from agent.frame import Source
from settings.base import Flag, Model, Word
from settings.language import Complaint
from settings.path import FullPath
from settings.secret import Secret


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme != "opc.tcp" or not parts.hostname or port == 0:
        raise Complaint(
            "write the endpoint as opc.tcp://host:4840 or opc.tcp://host:4840/path",
            "endpoint는 opc.tcp://주소:4840 또는 opc.tcp://주소:4840/경로 형식으로 쓰십시오",
        )
    if parts.username is not None or parts.password is not None:
        raise Complaint(
            "write user and password under login, not into the endpoint",
            "사용자와 비밀번호는 endpoint가 아니라 login에 쓰십시오",
        )
    return text


def _policy(text: Any) -> Any:
    if isinstance(text, str) and text in {"Basic128Rsa15", "Basic256"}:
        raise Complaint(
            f"{text} is broken and is not spoken here: let the server's administrator switch on Basic256Sha256 or "
            "better, and write policy: auto",
            f"{text}은(는) 더 이상 안전하지 않아 쓰지 않습니다. 서버 관리자에게 Basic256Sha256 이상을 켜 달라고 "
            "하고 policy: auto로 쓰십시오",
        )
    return text


class OpcUaLogin(Model):
    """A user of the server: a name with a password, or a certificate with its key."""

    user: Word | None = Field(None, description="user name")
    password: Secret | None = Field(None, description="where the password stands: env:NAME or file:/path")
    plain_password: Flag = Field(
        default=False,
        description="the password may travel in the clear, where the server takes it in no other way",
    )
    certificate: FullPath | None = Field(
        None, description="certificate of a user, DER or PEM, instead of a password"
    )
    key: FullPath | None = Field(None, description="key of that certificate, DER or PEM")
    key_password: Secret | None = Field(
        None, description="where the password of the key file stands, if it has one"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        name = self.user is not None and self.password is not None
        certificate = self.certificate is not None and self.key is not None
        more = (self.certificate, self.key, self.key_password) if name else (self.user, self.password)
        if name == certificate or any(field is not None for field in more) or (certificate and self.plain_password):
            raise Complaint(
                "write user and password, or certificate and key",
                "user와 password를 쓰거나, certificate와 key를 쓰십시오",
            )
        return self


class OpcUaDevice(DeviceBase):
    """One OPC UA server."""

    type: Literal["opcua"] = Field(description="`opcua`: OPC UA over opc.tcp")
    endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(description="opc.tcp://host:port/path")
    security: Literal["None", "Sign", "SignAndEncrypt"] = Field(
        description="written out, so that nobody gets an unencrypted connection by accident: None, Sign or "
        "SignAndEncrypt; never less than what stands here"
    )
    policy: Annotated[
        Literal["auto", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"], BeforeValidator(_policy)
    ] = Field("auto", description="of a secure connection; auto: the strongest of the three that the server offers")
    login: OpcUaLogin | None = Field(None, description="anonymous when absent")
    timeout: Timeout = Field(3_000_000_000, description="longest wait for an answer")
    groups: tuple[OpcUaGroup, ...] = Field(min_length=1, description="what is read, by pace")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.security == "None" and self.policy != "auto":
            raise Complaint(
                "policy belongs to security: Sign or SignAndEncrypt",
                "policy는 security: Sign 또는 SignAndEncrypt에만 쓸 수 있습니다",
            )
        return self

    def sources(self) -> tuple[Source, ...]:
        """Return one Source per group."""
        return tuple(
            Source(
                id=f"{self.id}.{group.id}",
                device=self.id,
                protocol="opcua",
                mode=group.source_mode,
                interval_ns=group.every,
                signals=tuple(signal.signal(self.machine) for signal in group.signals),
            )
            for group in self.groups
        )

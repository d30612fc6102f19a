"""What a technician writes about an OPC UA server. Importing this does not import asyncua."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from agent.collectors.opcua.signals import OpcUaGroup
from agent.config.base import DeviceBase, Timeout
from agent.frame import Source
from settings.base import Model, Word
from settings.language import Complaint
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


class OpcUaLogin(Model):
    """A user of the server."""

    user: Word = Field(description="user name")
    password: Secret = Field(description="where the password stands: env:NAME or file:/path")


class OpcUaDevice(DeviceBase):
    """One OPC UA server."""

    type: Literal["opcua"] = Field(description="`opcua`: OPC UA over opc.tcp")
    endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(description="opc.tcp://host:port/path")
    security: Literal["None"] = Field(
        description="written out, so that nobody gets an unencrypted connection by accident: None"
    )
    login: OpcUaLogin | None = Field(None, description="anonymous when absent")
    timeout: Timeout = Field(3_000_000_000, description="longest wait for an answer")
    groups: tuple[OpcUaGroup, ...] = Field(min_length=1, description="what is read, by pace")

    def sources(self) -> tuple[Source, ...]:
        """Return one Source per group."""
        return tuple(
            Source(
                id=f"{self.id}.{group.id}",
                device=self.id,
                protocol="opcua",
                mode=group.mode,
                interval_ns=group.every,
                signals=tuple(signal.signal(self.machine) for signal in group.signals),
            )
            for group in self.groups
        )

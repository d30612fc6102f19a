"""Who we are to a server, and whether we believe that it is the one: certificates, logins and the time.

Everything is read from the disk at each attempt, in a thread: what a person has mended or trusted a moment ago
counts at once, without a restart.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.collectors.opcua import certificates
from agent.collectors.opcua.faults import untrusted
from agent.collectors.opcua.pki import URI, Owner, Pki, ending, read_certificate, read_key
from agent.collectors.opcua.session import Terms, User
from agent.errors import ConfigError, Refused
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from agent.collectors.base import Box
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.security import Choice

TIME: Final = "trusted_time"  # topics of the memory
CERTIFICATE: Final = "server_certificate"


class Trust:
    """Of one device.

    Args:
        device: Its configuration.
        box: Clock, memory and the folder of certificates.

    Attributes:
        warning: What will need a person soon.
    """

    def __init__(self, device: OpcUaDevice, box: Box) -> None:
        self._device = device
        self._box = box
        self._place = f"{device.id} ({device.endpoint})"
        self._pki = None if box.pki is None else Pki(Path(box.pki))
        self.warning: Text | None = None
        self._believed: str | None = None

    def remember(self) -> None:
        """Keep whom we have spoken to, and the time, when it is trusted: a later start is not before it."""
        if self._believed not in {None, self._box.memory.recall(self._device.id, CERTIFICATE)}:
            self._box.memory.remember(self._device.id, CERTIFICATE, self._believed)
        if self._box.clock.trusted:
            self._box.memory.remember(self._device.id, TIME, str(self._box.clock.now()))

    def _moment(self) -> certificates.Moment:
        passed = self._box.memory.recall(self._device.id, TIME)
        known = int(passed) if isinstance(passed, str) and passed.isdecimal() else 0
        moment = self._box.clock.moment()
        return certificates.Moment(self._box.clock.now(), moment.exact, max(known, moment.ns))

    def user(self) -> User:
        """Return who logs in; secrets are read at each attempt, so that a changed one needs no restart."""
        login = self._device.login
        if login is None:
            return User()
        try:
            if login.user is not None and login.password is not None:
                return User(login.user, login.password.resolve())
            assert login.certificate is not None
            assert login.key is not None
            secret = None if login.key_password is None else login.key_password.resolve().encode()
            owner = Owner(
                read_certificate(login.certificate.read_bytes()), read_key(login.key.read_bytes(), secret)
            )
            return User(owner=owner)
        except ConfigError as exc:
            raise Refused(
                Text(f"{self._place}: password: {exc}", f"{self._place}: 비밀번호를 읽을 수 없습니다. {exc}")
            ) from exc
        except (OSError, ValueError, TypeError) as exc:
            raise Refused(
                Text(
                    f"{self._place}: certificate or key of the login: {exc}: name files with an RSA key, DER or "
                    "PEM, that the agent may read",
                    f"{self._place}: login의 인증서나 키를 읽을 수 없습니다({exc}). 에이전트가 읽을 수 있는 DER "
                    "또는 PEM 형식의 RSA 키 파일인지 확인하십시오",
                )
            ) from exc

    def terms(self, choice: Choice) -> Terms:
        """Return between whom the channel will be, once the server's certificate is believed.

        Raises:
            Refused: it is not, or our own cannot be read.
        """
        # a password on an open channel is as safe as the certificate it is encrypted with
        matters = choice.secure or (choice.seals and not (self._device.login and self._device.login.plain_password))
        try:
            chain = certificates.split(choice.endpoint.ServerCertificate)
        except ValueError as exc:
            if matters:
                raise Refused(untrusted(self._place, None, Text(str(exc), "형식이 잘못된 인증서입니다"))) from exc
            chain = []
        if not matters:
            return Terms(choice, chain[0] if chain else None, None, URI)
        if self._pki is None:
            raise Refused(
                Text(
                    f"{self._place}: security {self._device.security} with this login needs the agent's folder of "
                    "certificates: name the agent's file with the device in it",
                    f"{self._place}: 이 보안({self._device.security})과 로그인에는 에이전트의 인증서 폴더가 "
                    "필요합니다. 장치가 들어 있는 에이전트 설정 파일을 지정하십시오",
                )
            )
        if not chain:
            none = Text("it has none", "서버에 인증서가 없습니다")
            raise Refused(untrusted(self._place, None, none))
        moment = self._moment()
        try:
            self._believe(self._pki, chain, choice, moment)
            owner = self._pki.own(moment) if choice.secure else None
        except OSError as exc:
            raise Refused(
                Text(
                    f"{self._place}: {self._pki.folder}: {exc.strerror}: let the agent's user read and write this "
                    "folder, or run the command with sudo",
                    f"{self._place}: 인증서 폴더({self._pki.folder})를 쓸 수 없습니다({exc.strerror}). 에이전트 "
                    "사용자에게 읽기/쓰기 권한을 주거나 sudo로 실행하십시오",
                )
            ) from exc
        self._believed = certificates.thumbprint(chain[0])
        if owner is None:
            return Terms(choice, chain[0], None, URI)
        self.warning = ending(owner, moment)
        uris = certificates.application_uris(owner.certificate)
        return Terms(choice, chain[0], owner, uris[0] if uris else URI)

    def _believe(
        self, pki: Pki, chain: Sequence[x509.Certificate], choice: Choice, moment: certificates.Moment
    ) -> None:
        uri = choice.endpoint.Server.ApplicationUri
        wrong = certificates.complaint(chain, uri, pki.known(), moment)
        if wrong is not None:
            with contextlib.suppress(OSError):  # a full disk must not hide the reason
                pki.refuse(chain[0])
            before = self._box.memory.recall(self._device.id, CERTIFICATE)
            raise Refused(untrusted(self._place, chain[0], wrong, before if isinstance(before, str) else None))

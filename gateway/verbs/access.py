"""`tsq-gateway access LIST --out FOLDER`: a broker's access rules from the list of those who use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import access, access_files
from settings import load as loading
from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gateway.access import Access
    from settings.language import Language

_HOW = {
    ("acl", "certificate"): Text(
        "Issue each user a certificate with this common name: {users}",
        "사용자마다 일반 이름(CN)이 아래와 같은 인증서를 발급하십시오: {users}",
    ),
    ("acl", "password"): Text(
        "Give each user a password: mosquitto_passwd -c {folder}/passwords USER (-c the first time only): {users}",
        "사용자마다 비밀번호를 만드십시오. mosquitto_passwd -c {folder}/passwords 사용자 (-c는 처음만): {users}",
    ),
    ("dynamic-security", "password"): Text(
        "The first time: mosquitto_ctrl dynsec init {out}/dynamic-security.json {administrator}, and run this "
        "again. When the broker runs, give each user a password: mosquitto_ctrl dynsec setClientPassword USER: "
        "{users}",
        "처음 한 번은 mosquitto_ctrl dynsec init {out}/dynamic-security.json {administrator} 실행 후 이 명령을 "
        "다시 실행하십시오. 브로커를 켠 뒤 사용자마다 비밀번호를 만드십시오. "
        "mosquitto_ctrl dynsec setClientPassword 사용자: {users}",
    ),
}
_HOW["dynamic-security", "certificate"] = _HOW["acl", "certificate"]
_FREE_SHARES = Text(
    "An ACL file does not check who subscribes: whoever has a certificate can join the workers' shared "
    "subscription and swallow messages (none is lost: they come again, late). With several workers write "
    "`rules: dynamic-security`.",
    "ACL 파일은 구독 자체를 막지 못합니다. 인증서를 가진 누구나 공유 구독에 끼어들어 메시지를 가로챌 수 "
    "있습니다(유실은 없고 늦게 다시 옵니다). 게이트웨이를 여러 대 쓰면 `rules: dynamic-security`로 하십시오.",
)


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    listed = Text("the list of all users, see docs/security.md", "사용자 목록 파일(docs/security.ko.md 참고)")
    out = Text("folder for the broker's files", "브로커 파일을 쓸 폴더")
    parser.add_argument("file", type=Path, metavar="LIST", help=listed(language))
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help=out(language))


def main(options: argparse.Namespace, language: Language) -> int:
    """Write the files; return the exit code.

    Raises:
        ConfigError: the list is wrong, or a file cannot be written.
    """
    wanted = loading.load(options.file, access.read, language)
    for path in write(wanted, options.out):
        print(path)
    for text in advice(wanted, options.out):
        print(text(language))
    return 0


def write(wanted: Access, folder: Path) -> Iterator[Path]:
    """Write the broker's files into a folder; yield their paths.

    Raises:
        ConfigError: they cannot be written, or the plugin's file that is there is none.
    """
    grants = [*access.grants(wanted)]
    settings = wanted.mosquitto
    files = {access_files.CONFIGURATION: access_files.configuration(settings)}
    if settings.rules == "acl":
        files[access_files.ACL] = access_files.acl(grants)
    else:
        before = _before(folder / access_files.DYNAMIC_SECURITY)
        files[access_files.DYNAMIC_SECURITY] = access_files.dynamic_security(grants, settings.administrator, before)
    for name, text in files.items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{name}.new")
            new.touch(mode=0o600)
            new.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o640)  # the broker's group may read it
            new.write_text(text, "utf-8")
            new.replace(path)
        except OSError as exc:
            raise ConfigError(f"{path}: {exc.strerror}: check the path and the rights") from exc
        yield path


def _before(path: Path) -> dict[str, object] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        [client["username"] for client in found.get("clients", ())]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ConfigError(
            f"{path}: not a file of the dynamic security plugin ({exc}): its passwords would be lost; move it away"
        ) from exc
    return dict(found)


def advice(wanted: Access, out: Path) -> Iterator[Text]:
    """Yield what is left to do when the files stand in `out`."""
    settings = wanted.mosquitto
    users = ", ".join(grant.user for grant in access.grants(wanted))
    text = _HOW[settings.rules, settings.users]
    names = {
        "users": users,
        "folder": settings.folder,
        "out": out,
        "administrator": settings.administrator or "ADMINISTRATOR",
    }
    yield Text(text.en.format(**names), text.ko.format(**names))
    if settings.rules == "acl" and len(wanted.workers) > 1:
        yield _FREE_SHARES
    yield Text(
        f"Then copy the files to {settings.folder} on the broker's machine (owner: mosquitto) and mosquitto.conf "
        "to /etc/mosquitto/conf.d, and restart mosquitto.",
        f"파일을 브로커 장비의 {settings.folder}(으)로 옮기고(소유자 mosquitto) mosquitto.conf는 "
        "/etc/mosquitto/conf.d에 둔 뒤 mosquitto를 재시작하십시오.",
    )

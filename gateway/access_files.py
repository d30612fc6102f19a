"""Access rules as mosquitto reads them: an ACL file or the dynamic security plugin's JSON, and its listeners."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.access import Grant, MosquittoEntry

ACL, DYNAMIC_SECURITY, PASSWORDS = "acl", "dynamic-security.json", "passwords"
CONFIGURATION = "mosquitto.conf"
HEAD = "made by `tsq-gateway access`: change the list and make it anew"
_PASSWORD = ("password", "salt", "iterations", "disabled", "textname", "textdescription")
"""What an operator gives to a client of the plugin himself, with mosquitto_ctrl."""


def acl(grants: Iterable[Grant]) -> str:
    """Return an ACL file of mosquitto: who is not named may do nothing."""
    lines = [f"# {HEAD}"]
    for grant in grants:
        both = [topic for topic in grant.writes if topic in grant.reads]
        lines += ["", f"user {grant.user}"]
        lines += [f"topic readwrite {topic}" for topic in both]
        lines += [f"topic write {topic}" for topic in grant.writes if topic not in both]
        lines += [f"topic read {topic}" for topic in grant.reads if topic not in both]
    return "\n".join(lines) + "\n"


def dynamic_security(
    grants: Sequence[Grant], administrator: str | None = None, before: Mapping[str, Any] | None = None
) -> str:
    """Return the configuration of the dynamic security plugin (mosquitto 2.0).

    Args:
        grants: Of everybody.
        administrator: A user who may change it all at run time with mosquitto_ctrl.
        before: The configuration that is there: users who stay keep their passwords.
    """
    kept = {
        client["username"]: {key: client[key] for key in _PASSWORD if key in client}
        for client in (before or {}).get("clients", ())
    }
    users = [grant.user for grant in grants] + ([administrator] if administrator else [])
    roles = [{"rolename": grant.user, "acls": _rules(grant)} for grant in grants]
    if administrator:
        control = "$CONTROL/dynamic-security/#"
        kinds = ("publishClientSend", "publishClientReceive", "subscribePattern")
        roles.append({"rolename": administrator, "acls": [_rule(kind, control) for kind in kinds]})
    made = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [{"username": user, **kept.get(user, {}), "roles": [{"rolename": user}]} for user in users],
        "groups": [],
        "roles": roles,
    }
    return json.dumps(made, indent=1) + "\n"


def _rules(grant: Grant) -> list[dict[str, Any]]:
    return [
        *(_rule("publishClientSend", topic) for topic in grant.writes),
        *(_rule("publishClientReceive", topic) for topic in grant.reads),
        *(_rule("subscribePattern" if "#" in topic else "subscribeLiteral", topic) for topic in grant.filters),
    ]


def _rule(kind: str, topic: str) -> dict[str, Any]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


def configuration(settings: MosquittoEntry) -> str:
    """Return the mosquitto.conf that puts the rules into force."""
    rules = [f"acl_file {settings.folder}/{ACL}"]
    if settings.rules == "dynamic-security":
        rules = [f"plugin {settings.plugin}", f"plugin_opt_config_file {settings.folder}/{DYNAMIC_SECURITY}"]
    elif settings.users == "password":
        rules.append(f"password_file {settings.folder}/{PASSWORDS}")
    secure = [f"cafile {settings.ca}", f"certfile {settings.certificate}", f"keyfile {settings.key}"]
    if settings.users == "certificate":
        secure += ["require_certificate true", "use_identity_as_username true"]
    lines = [
        f"# {HEAD}",
        "allow_anonymous false",
        *rules,
        "message_size_limit 1048576",
        "max_inflight_messages 100",
        "set_tcp_nodelay true",
        "",
        "# Agents and the platform. The user is the client id: nobody can take over another's connection.",
        f"listener {settings.port} {settings.address or ''}".rstrip(),
        *secure,
        "use_username_as_clientid true",
        "",
        "# Gateway workers. They try the broker out with several connections at a time, so client ids are free",
        "# here: keep this address out of the agents' reach.",
        f"listener {settings.worker_port} {settings.worker_address}",
        *secure,
    ]
    return "\n".join(lines) + "\n"

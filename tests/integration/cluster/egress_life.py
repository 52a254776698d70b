"""Two clusters that are let out and shut in again, beside a world of one server: run by `tests.machine.alone`.

It prints as JSON who the server saw at each step (nobody: null), and what the forwarding switch was.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kubewire.cluster.home import Home
from kubewire.cluster.nodes import egress, programs, removal
from kubewire.cluster.nodes.fabric import create_fabric
from kubewire.cluster.nodes.node import create_node
from kubewire.cluster.nodes.place import Fabric, NodePlace

WORLD = "192.0.2.1"
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_SERVER = f"""
import socket
with socket.create_server(("{WORLD}", 80)) as server:
    print("ready", flush=True)
    while True:
        connection, peer = server.accept()
        connection.sendall(peer[0].encode())
        connection.close()
"""
_CLIENT = f"""
import socket
try:
    print(socket.create_connection(("{WORLD}", 80), timeout=0.5).recv(100).decode())
except OSError:
    pass
"""


def main() -> dict[str, object]:
    """What was seen, step by step."""
    _FORWARDING.write_text("0")
    programs.ip_batch(["netns add world", "link add out type veth peer name in netns world"])
    programs.ip_batch(["address add 192.0.2.2/24 dev out", "link set out up"])
    programs.ip_batch([f"address add {WORLD}/24 dev in", "link set in up"], "world")
    command = [*programs.enter("world"), sys.executable, "-c", _SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        try:
            return _watch([_cluster("one"), _cluster("two")])
        finally:
            server.kill()


def _watch(clusters: list[tuple[Fabric, NodePlace]]) -> dict[str, object]:
    (one, first), (two, second) = clusters
    told: dict[str, object] = {"shut": [_seen(first), _forwarding()]}
    egress.open_(one)
    told["one"] = [_seen(first), _seen(second), _forwarding()]
    egress.open_(two)
    egress.open_(two)  # twice is harmless
    told["both"] = [_seen(first), _seen(second), _forwarding()]
    told["inwards"] = _reached(second, create_node(two, "node-2", 2), first)
    egress.close(one.cluster)
    told["two"] = [_seen(first), _seen(second), _forwarding()]
    for fabric in (two, one):
        removal.remove_all(fabric.home, wipe=True)
        shutil.rmtree(fabric.home.path)
    told["gone"] = [programs.run(["nft", "list", "ruleset"]), _forwarding()]
    return told


def _cluster(name: str) -> tuple[Fabric, NodePlace]:
    fabric = create_fabric(Home(name, Path(tempfile.mkdtemp(prefix="kw-"))))
    return fabric, create_node(fabric, "node-1", 1)


def _seen(node: NodePlace) -> str | None:
    """As whom the world sees a node."""
    return programs.run([*programs.enter(node.namespace), sys.executable, "-c", _CLIENT]).strip() or None


def _reached(node: NodePlace, neighbour: NodePlace, other: NodePlace) -> list[bool]:
    """Whether a node is reached by a neighbour, by another cluster's node, and by the world, which is told the way."""
    way = "route {} 10.0.0.0/8 via 192.0.2.2"
    programs.ip_batch([way.format("add")], "world")
    ping = [programs.find("busybox"), "ping", "-c", "1", "-W", "1", node.address]
    sources = (neighbour.namespace, other.namespace, "world")
    told = [programs.attempt([*programs.enter(source), *ping]).returncode == 0 for source in sources]
    programs.ip_batch([way.format("delete")], "world")
    return told


def _forwarding() -> str:
    return _FORWARDING.read_text().strip()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main()))

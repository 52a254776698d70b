"""Services, endpoints and rules in words, for tests of kube-proxy."""

from collections.abc import Iterable

from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.kube_proxy.desired.model import Frontend, Masquerade, Otherwise, Rule, Scope, Target

NODE = "n1"


def service(text: str) -> Service:
    """`web 10.96.0.1 80 443/https`: name, cluster IP, ports with names, and settings.

    node=30080 (of the first port), type, external and internal (traffic policies), affinity (seconds), protocol,
    address (an external one), ingress (a load balancer's address), check (health check node port), proxy (whose it is).
    """
    words = text.split()
    settings = dict(word.split("=") for word in words if "=" in word)
    name, address, *ports = (word for word in words if "=" not in word)
    made = Service()
    made.metadata.name, made.metadata.namespace, made.metadata.uid = name, "default", f"u-{name}"
    spec = made.spec
    spec.clusterIP = address
    spec.clusterIPs.append(address)
    for port in ports:
        number, _, port_name = port.partition("/")
        spec.ports.add(name=port_name, port=int(number), protocol=settings.get("protocol", "TCP"))
    spec.ports[0].nodePort = int(settings.get("node", "0"))
    spec.type = settings.get("type", "NodePort" if "node" in settings else "ClusterIP")
    spec.externalTrafficPolicy = settings.get("external", "Cluster")
    spec.internalTrafficPolicy = settings.get("internal", "Cluster")
    if "affinity" in settings:
        spec.sessionAffinity = "ClientIP"
        spec.sessionAffinityConfig.clientIP.timeoutSeconds = int(settings["affinity"])
    if "address" in settings:
        spec.externalIPs.append(settings["address"])
    if "ingress" in settings:
        made.status.loadBalancer.ingress.add(ip=settings["ingress"])
    spec.healthCheckNodePort = int(settings.get("check", "0"))
    if "proxy" in settings:
        made.metadata.labels["service.kubernetes.io/service-proxy-name"] = settings["proxy"]
    return made


def slice_of(
    name: str, text: str, *, port: int = 8080, port_name: str = "", protocol: str = "TCP", number: int = 1
) -> EndpointSlice:
    """Endpoints of a Service, one a line: address, node, and what holds: ready, serving, terminating."""
    made = EndpointSlice(addressType="IPv4")
    made.metadata.name, made.metadata.namespace = f"{name}-{number}", "default"
    made.metadata.labels["kubernetes.io/service-name"] = name
    made.ports.add(name=port_name, port=port, protocol=protocol)
    for line in text.strip().splitlines():
        address, node, *conditions = line.split()
        endpoint = made.endpoints.add(addresses=[address], nodeName=node)
        for condition in ("ready", "serving", "terminating"):
            setattr(endpoint.conditions, condition, condition in conditions)
    return made


def told(rule: Rule) -> str:
    """A rule in words: `TCP 10.96.0.1:80 -> 10.0.0.1:8080* 10.0.0.2:8080 outside`; a star is this node's."""
    if not rule.targets:
        return f"{rule.frontend} {rule.otherwise.value}"
    targets = " ".join(f"{target}{'*' if target.is_local else ''}" for target in rule.targets)
    affinity = f" affinity={rule.affinity_seconds}" if rule.affinity_seconds else ""
    return f"{rule.frontend} -> {targets} {rule.masquerade.value}{affinity}"


def rule(text: str) -> Rule:
    """The other way round, of a Service `default/web`; a cluster IP's if it begins with 10.96."""
    head, arrow, tail = text.partition(" -> ")
    protocol, where, *rest = head.split()
    address, _, port = where.rpartition(":")
    scope = Scope.INSIDE if "inside" in rest else Scope.ANY
    frontend = Frontend("" if address == "*" else address, protocol, int(port), scope)
    is_cluster_ip = address.startswith("10.96.")
    if not arrow:
        return Rule(frontend, "default/web", otherwise=Otherwise(rest[-1]), is_cluster_ip=is_cluster_ip)
    words = tail.split()
    affinity = next((int(word.partition("=")[2]) for word in words if word.startswith("affinity=")), 0)
    masquerade = next((Masquerade(word) for word in words if word.isalpha()), Masquerade.OUTSIDE)
    targets = tuple(sorted(_target(word) for word in words if ":" in word))
    return Rule(
        frontend,
        "default/web",
        targets,
        masquerade=masquerade,
        affinity_seconds=affinity,
        is_cluster_ip=is_cluster_ip,
    )


def rules(text: str) -> dict[Frontend, Rule]:
    """Rules, one a line."""
    return {one.frontend: one for one in map(rule, lines(text))}


def lines(text: str) -> list[str]:
    """The lines of a text that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def all_told(found: Iterable[Rule]) -> list[str]:
    """Rules in words, sorted."""
    return sorted(map(told, found))


def _target(word: str) -> Target:
    address, _, port = word.rstrip("*").rpartition(":")
    return Target(address, int(port), word.endswith("*"))

"""Variables that name Services."""

from kubewire.kubelet.environment.service_links import service_variables
from tests.unit.kubelet.manifests import pod_of, service
from tests.unit.kubelet.objects import KnownServices

KUBERNETES = service("kubernetes", "10.0.0.1", ("https", 443), namespace="default")


def test_all_variables_of_a_service() -> None:
    """Host, first port, named ports, and a link for each port."""
    found = service_variables(pod_of("{}"), KnownServices(service("my-db", "10.0.0.5", ("", 80), ("web-ui", 8080))))
    assert found == {
        "MY_DB_SERVICE_HOST": "10.0.0.5",
        "MY_DB_SERVICE_PORT": "80",
        "MY_DB_SERVICE_PORT_WEB_UI": "8080",
        "MY_DB_PORT": "tcp://10.0.0.5:80",
        "MY_DB_PORT_80_TCP": "tcp://10.0.0.5:80",
        "MY_DB_PORT_80_TCP_PROTO": "tcp",
        "MY_DB_PORT_80_TCP_PORT": "80",
        "MY_DB_PORT_80_TCP_ADDR": "10.0.0.5",
        "MY_DB_PORT_8080_TCP": "tcp://10.0.0.5:8080",
        "MY_DB_PORT_8080_TCP_PROTO": "tcp",
        "MY_DB_PORT_8080_TCP_PORT": "8080",
        "MY_DB_PORT_8080_TCP_ADDR": "10.0.0.5",
    }


def test_the_api_server_is_always_named() -> None:
    """Without links a pod is told of the API server alone."""
    known = KnownServices(KUBERNETES, service("db", "10.0.0.5", ("", 80)))
    linked = service_variables(pod_of("{enableServiceLinks: true}"), known)
    unlinked = service_variables(pod_of("{enableServiceLinks: false}"), known)
    assert {"KUBERNETES_SERVICE_HOST", "DB_SERVICE_HOST"} <= linked.keys()
    assert "KUBERNETES_SERVICE_PORT_HTTPS" in unlinked
    assert not any(name.startswith("DB") for name in unlinked)


def test_a_service_called_kubernetes_of_the_pods_own_namespace_takes_its_place() -> None:
    """The nearer one of two equal names counts."""
    known = KnownServices(KUBERNETES, service("kubernetes", "10.0.0.9", ("", 1)))
    assert service_variables(pod_of("{}"), known)["KUBERNETES_SERVICE_HOST"] == "10.0.0.9"


def test_services_without_an_address_are_not_named() -> None:
    """Headless Services, those without an address yet, and other namespaces' are left out."""
    known = KnownServices(
        service("headless", "None", ("", 1)),
        service("early", "", ("", 1)),
        service("foreign", "10.0.0.7", ("", 1), namespace="other"),
    )
    assert service_variables(pod_of("{}"), known) == {}


def test_ipv6_addresses_are_bracketed_in_links() -> None:
    """A link can be read although addresses hold colons."""
    found = service_variables(pod_of("{}"), KnownServices(service("db", "fd00::1", ("", 80))))
    assert found["DB_PORT"] == "tcp://[fd00::1]:80"
    assert found["DB_SERVICE_HOST"] == "fd00::1"

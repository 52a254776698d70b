"""One node with a kubelet and an API server for all tests here, and a pod that most of them look into."""

from collections.abc import Iterator

import pytest

from kubewire.component.tls.store import CertificateStore
from tests.apiserver_process import running_apiserver
from tests.containerd_process import running_containerd
from tests.e2e.streams.pods_user import PodsUser, eventually
from tests.etcd_process import find_free_port, running_etcd
from tests.kubelet_process import running_kubelet


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodsUser]:
    """An admin; the pod `shell` writes a line twice a second."""
    folder = tmp_path_factory.mktemp("streams")
    with running_etcd(folder / "etcd") as etcd, running_containerd() as node:
        flags = (
            f"--more-bind-addresses={node.host_address}",
            f"--tls-names={node.host_address}",
            f"--grpc-port={find_free_port()}",
        )
        with running_apiserver(folder / "apiserver", etcd.endpoint, *flags) as apiserver:
            pki = apiserver.folder / "pki"
            CertificateStore(pki).server("kubelet", f"system:node:{node.node.name}", (node.address,))
            tls = (
                f"--serving-cert-file={pki / 'kubelet.crt'}",
                f"--serving-key-file={pki / 'kubelet.key'}",
                f"--client-ca-file={apiserver.ca}",
            )
            with running_kubelet(folder / "kubelet", apiserver, node, *tls) as kubelet:
                made = PodsUser(folder, apiserver, kubelet, node)
                made.write_kubeconfig()
                made.start_ready("shell", "sh", "-c", "i=0; while sleep 0.5; do i=$((i+1)); echo line $i; done")
                eventually(
                    lambda: made.run("logs", "shell").stdout.startswith(b"line 1\n"), "the first line is written"
                )
                yield made
                made.ok("delete", "pods", "--all", "--grace-period=0", "--wait=false")

"""What nodes' servers show to the API server when it calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubewire.cluster.home import Home

if TYPE_CHECKING:
    from kubewire.cluster.nodes.place import NodePlace


def serving_certificates(home: Home, places: Sequence[NodePlace]) -> None:
    """A certificate for each node's kubelet, signed by the cluster's CA, which has to be there. Good ones are kept.

    Raises:
        CertificateError: the CA's files cannot be used.
    """
    from kubewire.component.tls.store import CertificateStore  # noqa: PLC0415  # loads cryptography

    store = CertificateStore(home.pki)
    for place in places:
        store.server(f"kubelet-{place.name}", f"system:node:{place.name}", (place.address, place.name))

"""Who may look into containers: API servers, and nobody else who merely has a certificate of the cluster's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import grpc.aio

from kubewire.machinery.errors import Reason, StatusError

API_SERVER: Final = "kube-apiserver-kubelet-client"
"""Common name of the certificate that API servers show to kubelets."""

_COMMON_NAME: Final = "x509_common_name"


class Callers:
    """Lets API servers in. `trusts_tokens`: whoever got here without a certificate has shown the callers' token."""

    def __init__(self, *, trusts_tokens: bool) -> None:
        self._trusts_tokens = trusts_tokens

    def check(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        """Returns for whom streams are served.

        Raises:
            StatusError: 403.
        """
        known: Iterable[bytes] = context.auth_context().get(_COMMON_NAME, ())
        names = [name.decode(errors="replace") for name in known]
        if API_SERVER in names or (self._trusts_tokens and not names):
            return
        who = f"{names[0]} is none" if names else "who showed no certificate"
        raise StatusError(403, Reason.FORBIDDEN, f"streams of containers are served to API servers, {who}")

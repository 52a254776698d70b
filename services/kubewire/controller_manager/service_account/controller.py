"""The service account controller: `default` in every namespace."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.controller_manager.context import Context, Loops
from kubewire.controller_manager.namespace_content import NamespaceContent
from kubewire.controller_manager.service_account.plan import DEFAULT, wanted

NAME: Final = "serviceaccount-controller"


def make(context: Context) -> Loops:
    """The loop."""
    return NamespaceContent(context, NAME, ServiceAccount, DEFAULT, wanted)

"""The names of the admission plug-ins, as settings spell them; apart from the plug-ins, so that settings load fast."""

from __future__ import annotations

from typing import Final

NAMES: Final = frozenset(
    {
        "CertificateSubjectRestriction",
        "DefaultTolerationSeconds",
        "NamespaceLifecycle",
        "NodeRestriction",
        "Priority",
        "ServiceAccount",
        "StorageObjectInUseProtection",
        "TaintNodesByCondition",
    }
)

"""ConfigMaps and Secrets: keys that can be files' names, at most a mebibyte, and what makes them immutable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from kubewire.apiserver.validation.checks import Problems, problems_of
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, forbidden, immutable, invalid, required, too_long
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.config_map_pb2 import ConfigMap
    from kubewire.api.core.v1.secret_pb2 import Secret

AnyConfiguration: TypeAlias = "ConfigMap | Secret"

LIMIT_BYTES = 1 << 20
_DATA: Final = ROOT.child("data")
_BINARY_DATA: Final = ROOT.child("binaryData")
_FROZEN = "field is immutable when `immutable` is set"


def validate_config_map(config_map: ConfigMap) -> list[FieldError]:
    """Keys are unique over both maps."""
    problems: Problems = []
    size = 0
    for key, text in config_map.data.items():
        _check_key(key, _DATA, problems)
        if key in config_map.binaryData:
            problems.append(invalid(_DATA.key(key), key, "duplicate of key present in binaryData"))
        size += len(text) if text.isascii() else len(text.encode())
    for key, value in config_map.binaryData.items():
        _check_key(key, _BINARY_DATA, problems)
        size += len(value)
    if size > LIMIT_BYTES:
        problems.append(too_long(ROOT, LIMIT_BYTES))
    return problems


def _check_key(key: str, path: Path, problems: Problems) -> None:
    wrong = problems_of(names.config_map_key, key)
    if wrong:
        problems.extend(invalid(path.key(key), key, problem) for problem in wrong)


def validate_config_map_update(new: ConfigMap, old: ConfigMap) -> list[FieldError]:
    """What was declared immutable stays so, with all it holds."""
    problems = _frozen_changes(new, old, ("data", "binaryData"))
    return problems + validate_config_map(new)


def _frozen_changes(new: AnyConfiguration, old: AnyConfiguration, fields: tuple[str, ...]) -> list[FieldError]:
    if not old.immutable:
        return []
    problems = [] if new.immutable else [forbidden(ROOT.child("immutable"), _FROZEN)]
    problems += [forbidden(ROOT.child(name), _FROZEN) for name in fields if getattr(new, name) != getattr(old, name)]
    return problems


def validate_secret(secret: Secret) -> list[FieldError]:
    """Types that Kubernetes knows have the keys their readers need."""
    problems: Problems = []
    size = 0
    for key, value in secret.data.items():
        _check_key(key, _DATA, problems)
        size += len(value)
    if size > LIMIT_BYTES:
        problems.append(too_long(_DATA, LIMIT_BYTES))
    _check_type(secret, problems)
    return problems


_SERVICE_ACCOUNT = "kubernetes.io/service-account.name"
_JSON_KEYS: Mapping[str, str] = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}


def _check_type(secret: Secret, problems: Problems) -> None:
    data = secret.data
    if secret.type in _JSON_KEYS:
        _check_json(secret, _JSON_KEYS[secret.type], problems)
    elif secret.type == "kubernetes.io/service-account-token":
        if not secret.metadata.annotations.get(_SERVICE_ACCOUNT):
            problems.append(required(ROOT.child("metadata", "annotations").key(_SERVICE_ACCOUNT)))
    elif secret.type == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            problems += [required(_DATA.key("username")), required(_DATA.key("password"))]
    elif secret.type == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            problems.append(required(_DATA.key("ssh-privatekey")))
    elif secret.type == "kubernetes.io/tls":
        problems += [required(_DATA.key(key)) for key in ("tls.crt", "tls.key") if key not in data]


def _check_json(secret: Secret, key: str, problems: Problems) -> None:
    if key not in secret.data:
        problems.append(required(_DATA.key(key)))
        return
    try:
        json.loads(secret.data[key])
    except ValueError as error:
        problems.append(invalid(_DATA.key(key), "<secret contents redacted>", str(error)))


def validate_secret_update(new: Secret, old: Secret) -> list[FieldError]:
    """The type is fixed, and everything else when the secret is immutable."""
    problems = [] if new.type == old.type else [immutable(ROOT.child("type"), new.type)]
    problems += _frozen_changes(new, old, ("data",))
    return problems + validate_secret(new)

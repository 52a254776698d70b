"""What the files of a volume hold: from its spec and what that names to bytes by path. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.volume_pb2 import ServiceAccountTokenProjection, Volume, VolumeProjection
from kubewire.api.core.v1.volume_source_pb2 import DownwardAPIVolumeFile, KeyToPath
from kubewire.kubelet.contracts import Token
from kubewire.kubelet.environment.containers import container_of
from kubewire.kubelet.environment.named import CONFIG_MAP, SECRET, Found, Named, why_not
from kubewire.kubelet.environment.pod_fields import UnknownField, field_text
from kubewire.kubelet.environment.resource_fields import Amounts, UnknownResource, resource_text
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.owners import owner_of_tokens
from kubewire.machinery.errors import Reason, StatusError

DEFAULT_MODE: Final = 0o644
_OWN_TOKEN_MODE: Final = 0o600
_DEFAULT_TOKEN_SECONDS: Final = 3600
_PATH_AT_MOST: Final = 4096
_NAME_AT_MOST: Final = 255


class File(NamedTuple):
    """A file of a volume; `uid` None: root's."""

    data: bytes
    mode: int
    uid: int | None = None


Payload = dict[str, File]
"""Files by their paths below the volume."""


class TokenWanted(NamedTuple):
    """A token as a projection asks for it."""

    audience: str
    seconds: int


class Contents(NamedTuple):
    """What files are made from besides the volume's spec; tokens that could not be had are errors."""

    pod: Pod
    found: Found
    tokens: Mapping[TokenWanted, Token | StatusError]
    allocatable: Amounts
    fs_group: int | None = None


def holds_files(volume: Volume) -> bool:
    """Whether a volume's files are made here."""
    source = volume.volumeSource
    return any(source.HasField(kind) for kind in ("configMap", "secret", "downwardAPI", "projected"))


def names_in(volume: Volume) -> Iterator[Named]:
    """ConfigMaps and Secrets that a volume shows."""
    source = volume.volumeSource
    if source.HasField("configMap"):
        yield Named(CONFIG_MAP, source.configMap.localObjectReference.name)
    if source.HasField("secret"):
        yield Named(SECRET, source.secret.secretName)
    for projection in source.projected.sources:
        if projection.HasField("configMap"):
            yield Named(CONFIG_MAP, projection.configMap.localObjectReference.name)
        if projection.HasField("secret"):
            yield Named(SECRET, projection.secret.localObjectReference.name)


def tokens_in(volume: Volume) -> Iterator[TokenWanted]:
    """Tokens that a volume shows."""
    for projection in volume.volumeSource.projected.sources:
        if projection.HasField("serviceAccountToken"):
            yield _wanted(projection.serviceAccountToken)


def payload_of(volume: Volume, contents: Contents) -> Payload:
    """The files of a volume.

    Raises:
        VolumeError: an object or key is missing, or paths are in each other's way.
    """
    source = volume.volumeSource
    if source.HasField("configMap"):
        given = source.configMap
        mode = _mode(given.defaultMode if given.HasField("defaultMode") else None)
        named = Named(CONFIG_MAP, given.localObjectReference.name)
        files = _of_object(named, given.items, contents, mode=mode, is_optional=given.optional)
    elif source.HasField("secret"):
        secret = source.secret
        mode = _mode(secret.defaultMode if secret.HasField("defaultMode") else None)
        named = Named(SECRET, secret.secretName)
        files = _of_object(named, secret.items, contents, mode=mode, is_optional=secret.optional)
    elif source.HasField("downwardAPI"):
        mode = _mode(source.downwardAPI.defaultMode if source.downwardAPI.HasField("defaultMode") else None)
        files = _of_pod(source.downwardAPI.items, contents, mode)
    else:
        mode = _mode(source.projected.defaultMode if source.projected.HasField("defaultMode") else None)
        files = (item for projection in source.projected.sources for item in _of_projection(projection, contents, mode))
    return _checked(files)


def _of_projection(projection: VolumeProjection, contents: Contents, mode: int) -> Iterator[tuple[str, File]]:
    if projection.HasField("configMap"):
        given = projection.configMap
        named = Named(CONFIG_MAP, given.localObjectReference.name)
        yield from _of_object(named, given.items, contents, mode=mode, is_optional=given.optional)
    elif projection.HasField("secret"):
        secret = projection.secret
        named = Named(SECRET, secret.localObjectReference.name)
        yield from _of_object(named, secret.items, contents, mode=mode, is_optional=secret.optional)
    elif projection.HasField("downwardAPI"):
        yield from _of_pod(projection.downwardAPI.items, contents, mode)
    elif projection.HasField("serviceAccountToken"):
        yield _of_token(projection.serviceAccountToken, contents, mode)
    else:
        raise VolumeError(
            "clusterTrustBundle and podCertificate sources are not supported; "
            "use configMap, secret, downwardAPI or serviceAccountToken"
        )


def _of_object(
    named: Named, items: Sequence[KeyToPath], contents: Contents, *, mode: int, is_optional: bool
) -> Iterator[tuple[str, File]]:
    """All keys of an object under their names, or those that `items` lists under theirs."""
    found = contents.found[named]
    if isinstance(found, StatusError):
        if is_optional and found.reason == Reason.NOT_FOUND:
            return
        raise VolumeError(why_not(named, found))
    data = _bytes(found)
    if not items:
        yield from ((key, File(value, mode)) for key, value in data.items())
    for item in items:
        if item.key in data:
            yield item.path, File(data[item.key], item.mode if item.HasField("mode") else mode)
        elif not is_optional:
            kind = "config" if named.kind == CONFIG_MAP else "secret"
            raise VolumeError(f"references non-existent {kind} key: {item.key}")


def _bytes(found: ConfigMap | Secret) -> Mapping[str, bytes]:
    if isinstance(found, Secret):
        return found.data
    return {**{key: value.encode() for key, value in found.data.items()}, **found.binaryData}


def _of_pod(items: Iterable[DownwardAPIVolumeFile], contents: Contents, mode: int) -> Iterator[tuple[str, File]]:
    for item in items:
        try:
            text = _pod_text(item, contents)
        except (UnknownField, UnknownResource, LookupError) as error:
            raise VolumeError(f"file {item.path}: {error}") from None
        yield item.path, File(text.encode(), item.mode if item.HasField("mode") else mode)


def _pod_text(item: DownwardAPIVolumeFile, contents: Contents) -> str:
    if item.HasField("fieldRef"):
        return field_text(contents.pod, item.fieldRef.fieldPath)
    field = item.resourceFieldRef
    return resource_text(contents.pod, container_of(contents.pod, field.containerName), field, contents.allocatable)


def _of_token(given: ServiceAccountTokenProjection, contents: Contents, mode: int) -> tuple[str, File]:
    """A token is for the user that reads it: for the pod's only user or group alone, if it has one."""
    token = contents.tokens[_wanted(given)]
    if isinstance(token, StatusError):
        raise VolumeError(f"failed to fetch token: {token}")
    uid = owner_of_tokens(contents.pod)
    is_own = uid is not None or contents.fs_group is not None
    return given.path, File(token.value.encode(), _OWN_TOKEN_MODE if is_own else mode, uid)


def _wanted(given: ServiceAccountTokenProjection) -> TokenWanted:
    seconds = given.expirationSeconds if given.HasField("expirationSeconds") else _DEFAULT_TOKEN_SECONDS
    return TokenWanted(given.audience, seconds)


def _mode(given: int | None) -> int:
    return DEFAULT_MODE if given is None else given


def _checked(files: Iterable[tuple[str, File]]) -> Payload:
    """All files by path; a later one takes the place of an earlier one at the same path."""
    payload: Payload = {}
    for path, file in files:
        _check_path(path)
        payload[path] = file
    for path in payload:
        parts = path.split("/")
        for count in range(1, len(parts)):
            above = "/".join(parts[:count])
            if above in payload:
                raise VolumeError(f"paths {above!r} and {path!r} are in each other's way: one is a file, one a folder")
    return payload


_RULES: Final[Sequence[tuple[Callable[[str], bool], str]]] = (
    (lambda path: not path, "want a path"),
    (lambda path: path.startswith("/"), "want a path within the volume, without '/' before it"),
    (lambda path: any(part in {"", ".", ".."} for part in path.split("/")), "want names, without '.', '..' and '//'"),
    (lambda path: path.startswith(".."), "names that start with '..' are the volume's own"),
    (lambda path: len(path.encode()) > _PATH_AT_MOST, f"want at most {_PATH_AT_MOST} bytes"),
    (
        lambda path: any(len(part.encode()) > _NAME_AT_MOST for part in path.split("/")),
        f"want at most {_NAME_AT_MOST} bytes in each name",
    ),
)


def _check_path(path: str) -> None:
    for is_broken, want in _RULES:
        if is_broken(path):
            raise VolumeError(f"file {path!r}: {want}")

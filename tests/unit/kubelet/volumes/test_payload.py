"""What the files of volumes hold."""

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.kubelet.contracts import Token
from kubewire.kubelet.environment.named import CONFIG_MAP, SECRET, Found, Named
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.payload import (
    Contents,
    File,
    Payload,
    TokenWanted,
    holds_files,
    names_in,
    payload_of,
    tokens_in,
)
from kubewire.machinery.errors import StatusError, not_found, service_unavailable
from kubewire.machinery.gvk import GroupResource
from tests.unit.kubelet.manifests import config_map, pod_of, secret

MAP = config_map("settings", color="blue", size="10")
MAP.binaryData["raw"] = b"\x00\x01"
KEYS = secret("keys", token=b"s3cret", cert=b"pem")
MISSING = not_found(GroupResource("", "configmaps"), "none")
FOUND: Found = {
    Named(CONFIG_MAP, "settings"): MAP,
    Named(SECRET, "keys"): KEYS,
    Named(CONFIG_MAP, "none"): MISSING,
    Named(SECRET, "none"): MISSING,
}
TOKEN = Token("jwt", 600.0, 480.0)


def payload(
    volume: str,
    *,
    rest: str = "",
    fs_group: int | None = None,
    token: Token | StatusError = TOKEN,
    found: Found = FOUND,
) -> Payload:
    """The files of a volume, in YAML; `rest` is more of the pod's spec."""
    pod = pod_of(f"{{volumes: [{{name: v, {volume}}}] {rest}}}")
    pod.metadata.labels["tier"] = "front"
    [spec] = pod.spec.volumes
    tokens = dict.fromkeys(tokens_in(spec), token)
    return payload_of(spec, Contents(pod, found, tokens, {"memory": "1Gi"}, fs_group))


def test_all_keys_of_a_config_map() -> None:
    """Every key is a file, binary ones too, of mode 0644."""
    assert payload("configMap: {name: settings}") == {
        "color": File(b"blue", 0o644),
        "size": File(b"10", 0o644),
        "raw": File(b"\x00\x01", 0o644),
    }


def test_some_keys_under_other_names() -> None:
    """`items` chooses keys, names and modes; other files have the volume's mode."""
    items = "[{key: token, path: a/t}, {key: cert, path: c, mode: 288}]"
    volume = f"secret: {{secretName: keys, defaultMode: 256, items: {items}}}"
    assert payload(volume) == {"a/t": File(b"s3cret", 0o400), "c": File(b"pem", 0o440)}


def test_mode_zero_is_a_mode() -> None:
    """A mode that is given counts, zero too."""
    assert payload("configMap: {name: settings, defaultMode: 0, items: [{key: size, path: s}]}")["s"].mode == 0


@pytest.mark.parametrize(
    "volume", ["configMap: {name: none, optional: true}", "secret: {secretName: none, optional: true}"]
)
def test_optional_objects_may_be_missing(volume: str) -> None:
    """The volume is empty then."""
    assert payload(volume) == {}


def test_optional_keys_may_be_missing() -> None:
    """The others are there."""
    volume = "configMap: {name: settings, optional: true, items: [{key: none, path: none}, {key: size, path: s}]}"
    assert payload(volume).keys() == {"s"}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ("configMap: {name: none}", 'configmap "none" not found'),
        ("secret: {secretName: none}", 'secret "none" not found'),
        ("configMap: {name: settings, items: [{key: x, path: x}]}", "references non-existent config key: x"),
        ("secret: {secretName: keys, items: [{key: x, path: x}]}", "references non-existent secret key: x"),
        ("downwardAPI: {items: [{path: f, fieldRef: {fieldPath: spec.x}}]}", "file f: unsupported fieldPath"),
        ("projected: {sources: [{clusterTrustBundle: {path: p}}]}", "clusterTrustBundle and podCertificate sources"),
    ],
)
def test_what_is_missing_is_named(volume: str, message: str) -> None:
    """A volume that cannot be made says why."""
    with pytest.raises(VolumeError) as raised:
        payload(volume)
    assert message in str(raised.value)


def test_a_server_that_is_away_is_no_missing_object() -> None:
    """Not even of an optional object: its files must not vanish because nobody answers."""
    found: Found = {Named(CONFIG_MAP, "settings"): service_unavailable("away")}
    with pytest.raises(VolumeError, match="away"):
        payload("configMap: {name: settings, optional: true}", found=found)


def test_fields_of_the_pod() -> None:
    """The downward API's files hold fields, and resources of the container they name."""
    files = payload(
        """downwardAPI: {items: [
            {path: labels, fieldRef: {fieldPath: metadata.labels}},
            {path: tier, mode: 256, fieldRef: {fieldPath: "metadata.labels['tier']"}},
            {path: memory, resourceFieldRef: {containerName: main, resource: limits.memory, divisor: 1Mi}}]}""",
        rest=", containers: [{name: main}]",
    )
    assert files == {
        "labels": File(b'tier="front"', 0o644),
        "tier": File(b"front", 0o400),
        "memory": File(b"1024", 0o644),
    }


def test_projections_come_together() -> None:
    """All sources in one volume; a later one takes the place of an earlier file of the same name."""
    files = payload(
        """projected: {defaultMode: 292, sources: [
            {configMap: {name: settings}},
            {secret: {name: keys, items: [{key: token, path: color}]}},
            {downwardAPI: {items: [{path: pod/name, fieldRef: {fieldPath: metadata.name}}]}},
            {serviceAccountToken: {path: token}}]}"""
    )
    assert files == {
        "color": File(b"s3cret", 0o444),
        "size": File(b"10", 0o444),
        "raw": File(b"\x00\x01", 0o444),
        "pod/name": File(b"web", 0o444),
        "token": File(b"jwt", 0o444),
    }


PROJECTED_TOKEN = (
    "projected: {sources: [{serviceAccountToken: {path: token, audience: vault, expirationSeconds: 700}}]}"
)


@pytest.mark.parametrize(
    ("rest", "fs_group", "mode", "uid"),
    [
        ("", None, 0o644, None),
        ("", 2000, 0o600, None),
        (", containers: [{name: a, securityContext: {runAsUser: 7}}]", None, 0o600, 7),
        (", securityContext: {runAsUser: 7}, containers: [{name: a}]", None, 0o600, 7),
        (
            ", securityContext: {runAsUser: 7}, containers: [{name: a}, {name: b, securityContext: {runAsUser: 8}}]",
            None,
            0o644,
            None,
        ),
    ],
)
def test_tokens_are_for_those_who_read_them(rest: str, fs_group: int | None, mode: int, uid: int | None) -> None:
    """A token is its user's alone where all containers run as the same one, and its group's where there is one."""
    assert payload(PROJECTED_TOKEN, rest=rest, fs_group=fs_group) == {"token": File(b"jwt", mode, uid)}


def test_a_token_that_cannot_be_had() -> None:
    """The server's own words are passed on."""
    with pytest.raises(VolumeError, match="failed to fetch token: away"):
        payload(PROJECTED_TOKEN, token=service_unavailable("away"))


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "..hidden", ".", "a/./b", "x" * 256, "y/" * 2100 + "y"]
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    """No file is written outside of its volume or among the volume's own names."""
    with pytest.raises(VolumeError, match="file "):
        payload(f"configMap: {{name: settings, items: [{{key: size, path: {path!r}}}]}}")


def test_a_file_is_no_folder() -> None:
    """Paths that contradict each other are refused rather than one of them lost."""
    with pytest.raises(VolumeError, match="in each other's way"):
        payload("configMap: {name: settings, items: [{key: size, path: a}, {key: color, path: a/b}]}")


def test_what_a_volume_names() -> None:
    """Everything that has to be fetched is known from the spec."""
    pod = pod_of("""
        volumes:
        - name: v
          projected:
            sources:
            - configMap: {name: settings}
            - secret: {name: keys}
            - serviceAccountToken: {path: a}
            - serviceAccountToken: {path: b, audience: vault, expirationSeconds: 700}
        - {name: c, configMap: {name: settings}}
        - {name: s, secret: {secretName: keys}}
        - {name: e, emptyDir: {}}
        - {name: h, hostPath: {path: /x}}
    """)
    projected, of_map, of_secret, empty, host = pod.spec.volumes
    assert set(names_in(projected)) == {Named(CONFIG_MAP, "settings"), Named(SECRET, "keys")}
    assert list(tokens_in(projected)) == [TokenWanted("", 3600), TokenWanted("vault", 700)]
    assert list(names_in(of_map)) == [Named(CONFIG_MAP, "settings")]
    assert list(names_in(of_secret)) == [Named(SECRET, "keys")]
    assert [holds_files(volume) for volume in pod.spec.volumes] == [True, True, True, False, False]
    assert not list(names_in(empty))
    assert not list(names_in(host))


def test_objects_are_left_as_they_are() -> None:
    """What is cached is read-only."""
    before = (ConfigMap.FromString(MAP.SerializeToString()), Secret.FromString(KEYS.SerializeToString()))
    payload("configMap: {name: settings}")
    payload("secret: {secretName: keys}")
    assert before == (MAP, KEYS)

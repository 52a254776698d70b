"""Who containers run as, and what they may do."""

import pytest

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import ContainerConfigError
from kubewire.kubelet.pods.security import ImageUser, container_security, namespaces, sandbox_security
from tests.unit.kubelet.manifests import pod_of


def made(pod_context: str, own: str, user: ImageUser = ImageUser()) -> cri.LinuxContainerSecurityContext:  # noqa: B008 - a value
    """The context of a pod's one container."""
    pod = pod_of(f"{{securityContext: {pod_context}, containers: [{{name: app, securityContext: {own}}}]}}")
    return container_security(pod, pod.spec.containers[0], user)


@pytest.mark.parametrize(
    ("pod_context", "own", "image", "expected"),
    [
        ("{}", "{}", ImageUser(), (0, "")),
        ("{}", "{}", ImageUser(1000), (1000, "")),
        ("{}", "{}", ImageUser(None, "baker"), (0, "baker")),
        ("{runAsUser: 5}", "{}", ImageUser(1000), (5, "")),
        ("{runAsUser: 5}", "{runAsUser: 6}", ImageUser(None, "baker"), (6, "")),
    ],
)
def test_the_nearest_word_about_the_user_counts(
    pod_context: str, own: str, image: ImageUser, expected: tuple[int, str]
) -> None:
    """The container's own, the pod's, the image's, root."""
    found = made(pod_context, own, image)
    assert (found.run_as_user.value, found.run_as_username) == expected


@pytest.mark.parametrize(
    ("own", "image", "message"),
    [
        ("{runAsNonRoot: true}", ImageUser(), "container has runAsNonRoot and image will run as root"),
        ("{runAsNonRoot: true, runAsUser: 0}", ImageUser(7), "container's runAsUser breaks non-root policy"),
        ("{runAsNonRoot: true}", ImageUser(None, "baker"), "image has non-numeric user (baker)"),
    ],
)
def test_root_is_refused_where_it_is_not_wanted(own: str, image: ImageUser, message: str) -> None:
    """And the message says which pod and container."""
    with pytest.raises(ContainerConfigError) as caught:
        made("{}", own, image)
    assert message in str(caught.value)
    assert "container: app" in str(caught.value)


def test_others_than_root_are_welcome() -> None:
    """A uid of the spec or of the image."""
    assert made("{runAsNonRoot: true}", "{}", ImageUser(7)).run_as_user.value == 7
    assert made("{runAsNonRoot: true, runAsUser: 8}", "{}").run_as_user.value == 8


def test_the_kernels_inner_life_is_hidden() -> None:
    """Unless the container is privileged or asks to see it."""
    assert "/proc/kcore" in made("{}", "{}").masked_paths
    assert "/proc/sys" in made("{}", "{}").readonly_paths
    assert not made("{}", "{privileged: true}").masked_paths
    assert not made("{}", "{procMount: Unmasked}").readonly_paths


def test_capabilities_groups_and_the_rest() -> None:
    """As the spec has them."""
    found = made(
        "{runAsGroup: 3, fsGroup: 9, supplementalGroups: [4], seccompProfile: {type: RuntimeDefault}}",
        "{readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, "
        "capabilities: {add: [net_admin], drop: [ALL]}}",
    )
    assert (found.readonly_rootfs, found.no_new_privs, found.run_as_group.value) == (True, True, 3)
    assert list(found.supplemental_groups) == [4, 9]
    assert (list(found.capabilities.add_capabilities), list(found.capabilities.drop_capabilities)) == (
        ["NET_ADMIN"],
        ["ALL"],
    )
    assert found.seccomp.profile_type == cri.SecurityProfile.RuntimeDefault
    assert made("{seccompProfile: {type: RuntimeDefault}}", "{privileged: true}").seccomp.profile_type == (
        cri.SecurityProfile.Unconfined
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{}", (cri.POD, cri.CONTAINER, cri.POD)),
        ("{hostNetwork: true, hostPID: true, hostIPC: true}", (cri.NODE, cri.NODE, cri.NODE)),
        ("{shareProcessNamespace: true}", (cri.POD, cri.POD, cri.POD)),
    ],
)
def test_namespaces(spec: str, expected: tuple[int, int, int]) -> None:
    """What is shared with the node, with the pod, and with nobody."""
    found = namespaces(pod_of(spec))
    assert (found.network, found.pid, found.ipc) == expected


def test_a_sandbox_is_privileged_for_its_containers() -> None:
    """The runtime refuses privileged containers in others."""
    assert sandbox_security(
        pod_of("{containers: [{name: a}, {name: b, securityContext: {privileged: true}}]}")
    ).privileged

"""Which containers a pod has, and which run again."""

import pytest

from kubewire.kubelet.pods.containers import Kind, hash_of, restarts, specs_of
from tests.unit.kubelet.manifests import pod_of

POLICIES = [
    # pod's policy, container, exit code, runs again
    ("Always", "{name: app}", 0, True),
    ("OnFailure", "{name: app}", 0, False),
    ("OnFailure", "{name: app}", 1, True),
    ("Never", "{name: app}", 1, False),
    ("Never", "{name: app, restartPolicy: Always}", 0, True),
    ("Always", "{name: app, restartPolicy: Never}", 1, False),
    (
        "Never",
        "{name: app, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [3, 4]}}]}",
        4,
        True,
    ),
    (
        "Never",
        "{name: app, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [3, 4]}}]}",
        5,
        False,
    ),
    (
        "Never",
        "{name: app, restartPolicyRules: [{action: Restart, exitCodes: {operator: NotIn, values: [3]}}]}",
        5,
        True,
    ),
]


@pytest.mark.parametrize(("policy", "container", "code", "expected"), POLICIES)
def test_restarts(policy: str, container: str, code: int, *, expected: bool) -> None:
    """A container's rules go before its policy, and that before the pod's."""
    pod = pod_of(f"{{restartPolicy: {policy}, containers: [{container}]}}")
    assert restarts(pod, specs_of(pod).main[0], code) is expected


@pytest.mark.parametrize(
    ("policy", "code", "expected"), [("Always", 0, False), ("Always", 1, True), ("Never", 1, False)]
)
def test_init_containers_that_did_their_work_are_done(policy: str, code: int, *, expected: bool) -> None:
    """Whatever the policy; those that failed run again unless it is Never."""
    pod = pod_of(f"{{restartPolicy: {policy}, initContainers: [{{name: one}}], containers: [{{name: app}}]}}")
    assert restarts(pod, specs_of(pod).init[0], code) is expected


def test_kinds_stand_in_their_order() -> None:
    """Init containers, main ones, ephemeral ones; sidecars are init containers that run on."""
    pod = pod_of(
        """
        initContainers: [{name: side, restartPolicy: Always}, {name: one}]
        containers: [{name: app}]
        ephemeralContainers: [{name: look, image: "tools:1", command: [sh]}]
        """
    )
    specs = specs_of(pod)
    assert [(spec.name, spec.kind) for spec in specs.all] == [
        ("side", Kind.INIT),
        ("one", Kind.INIT),
        ("app", Kind.MAIN),
        ("look", Kind.EPHEMERAL),
    ]
    assert [spec.name for spec in specs.sidecars] == ["side"]
    assert (specs.ephemeral[0].container.image, list(specs.ephemeral[0].container.command)) == ("tools:1", ["sh"])
    assert not restarts(pod, specs.ephemeral[0], 1)


def test_another_image_is_another_container() -> None:
    """And only that: what else may change in a running pod does not end its containers."""
    assert hash_of("app", "a:1") != hash_of("app", "a:2")
    assert hash_of("app", "a:1") == hash_of("app", "a:1")

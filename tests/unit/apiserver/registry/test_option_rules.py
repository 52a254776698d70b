"""Options that contradict each other are refused in Kubernetes' words."""

import pytest

from kubewire.apiserver.options import DeleteOptions, ListOptions, WatchOptions
from kubewire.apiserver.registry.option_rules import check_delete, check_list, check_watch, parse_resource_version
from kubewire.machinery.errors import StatusError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ListOptions(resource_version_match="Exact"),
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            ListOptions(resource_version_match="NotOlderThan", resource_version="1", continue_token="x"),
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
        (
            ListOptions(resource_version_match="Exact", resource_version="0"),
            'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            ListOptions(resource_version_match="x", resource_version="1"),
            'resourceVersionMatch: Unsupported value: "x": supported values: "Exact", "NotOlderThan", ""',
        ),
    ],
)
def test_a_list_with_contradicting_options_is_invalid(options: ListOptions, message: str) -> None:
    """422 naming the option."""
    with pytest.raises(StatusError) as raised:
        check_list(options)
    assert raised.value.code == 422
    assert str(raised.value) == f'ListOptions.meta.k8s.io "" is invalid: {message}'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            WatchOptions(send_initial_events=True),
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            WatchOptions(resource_version_match="NotOlderThan"),
            (
                "resourceVersionMatch: Forbidden: "
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            ),
        ),
    ],
)
def test_a_watch_with_contradicting_options_is_invalid(options: WatchOptions, message: str) -> None:
    """422 naming the option."""
    with pytest.raises(StatusError) as raised:
        check_watch(options)
    assert str(raised.value) == f'ListOptions.meta.k8s.io "" is invalid: {message}'


def test_options_that_agree_pass() -> None:
    """Nothing is raised for what clients usually send."""
    check_list(ListOptions())
    check_list(ListOptions(resource_version="5", resource_version_match="Exact"))
    check_watch(WatchOptions(resource_version="5"))
    check_watch(WatchOptions(send_initial_events=True, resource_version_match="NotOlderThan"))
    check_delete(DeleteOptions(propagation_policy="Orphan"))
    check_delete(DeleteOptions(orphan_dependents=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            DeleteOptions(propagation_policy="Orphan", orphan_dependents=True),
            'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        ),
        (
            DeleteOptions(propagation_policy="x"),
            'propagationPolicy: Unsupported value: "x": supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
    ],
)
def test_a_delete_with_contradicting_options_is_invalid(options: DeleteOptions, message: str) -> None:
    """422 naming the option."""
    with pytest.raises(StatusError) as raised:
        check_delete(options)
    assert str(raised.value) == f'DeleteOptions.meta.k8s.io "" is invalid: {message}'


def test_resource_versions_are_numbers() -> None:
    """Empty and 0 mean no particular version; anything but a 64-bit number is a bad request."""
    assert [parse_resource_version(text) for text in ("", "0", "17")] == [0, 0, 17]
    for text, why in (("x", "invalid syntax"), ("-1", "invalid syntax"), (str(2**64), "value out of range")):
        with pytest.raises(StatusError) as raised:
            parse_resource_version(text)
        assert raised.value.code == 400
        assert str(raised.value) == (
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": {why}'
        )

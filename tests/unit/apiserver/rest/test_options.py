"""Options are taken over, and refused with the parameter's name."""

import pytest

from kubewire.apiserver.contracts import PatchType
from kubewire.apiserver.options import DeleteOptions, ListOptions, WatchOptions, WriteOptions
from kubewire.apiserver.rest.options import (
    delete_options,
    get_options,
    list_options,
    watch_options,
    write_options,
)
from kubewire.machinery.errors import StatusError


def test_list_options() -> None:
    """Everything a list may ask for arrives in the core."""
    query = {
        "labelSelector": "a=b",
        "fieldSelector": "c=d",
        "limit": "5",
        "continue": "t",
        "resourceVersion": "7",
        "resourceVersionMatch": "Exact",
    }
    assert list_options(query) == ListOptions("a=b", "c=d", 5, "t", "7", "Exact")


def test_watch_options() -> None:
    """Everything a watch may ask for arrives; a legacy path's name becomes a selector; 0 seconds is no timeout."""
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "1", "timeoutSeconds": "9", "fieldSelector": "a=b"}
    assert watch_options(query, "x") == WatchOptions(
        field_selector="metadata.name=x,a=b", send_initial_events=True, allow_bookmarks=True, timeout_seconds=9.0
    )
    assert watch_options({"timeoutSeconds": "0"}).timeout_seconds is None


def test_get_options() -> None:
    """A GET may name a version."""
    assert [
        get_options(query).resource_version for query in ({}, {"resourceVersion": "0"}, {"resourceVersion": "5"})
    ] == [
        "",
        "0",
        "5",
    ]


def test_write_options() -> None:
    """Everything a write may ask for arrives."""
    query = {"dryRun": "All", "fieldManager": "m", "fieldValidation": "Strict"}
    assert write_options(query, "CreateOptions") == WriteOptions(
        dry_run=True, field_manager="m", field_validation="Strict"
    )
    assert write_options({"fieldManager": "m", "force": "true"}, "PatchOptions", PatchType.APPLY_YAML).force


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"dryRun": "x"}, 'dryRun: Unsupported value: ["x"]: supported values: "All"'),
        (
            {"fieldValidation": "strict"},
            'fieldValidation: Unsupported value: "strict": supported values: "Ignore", "Warn", "Strict"',
        ),
        ({"fieldManager": "m" * 129}, "fieldManager: Too long: may not be more than 128 bytes"),
        ({"force": "true"}, "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
def test_wrong_write_options_are_invalid(query: dict[str, str], message: str) -> None:
    """A wrong parameter is a 422 in Kubernetes' words."""
    with pytest.raises(StatusError) as raised:
        write_options(query, "PatchOptions", PatchType.MERGE)
    assert raised.value.code == 422
    assert raised.value.message == f'PatchOptions.meta.k8s.io "" is invalid: {message}'


def test_apply_needs_a_manager() -> None:
    """Server-side apply without a field manager is refused, with and without other parameters."""
    for query in ({}, {"force": "true"}):
        with pytest.raises(StatusError, match=r"fieldManager: Required value: is required for apply patch"):
            write_options(query, "PatchOptions", PatchType.APPLY_YAML)


def test_delete_options() -> None:
    """Query parameters of a delete arrive; `dryRun` counts when it says All."""
    query = {"gracePeriodSeconds": "0", "propagationPolicy": "Orphan", "dryRun": "All"}
    assert delete_options(query) == DeleteOptions(0, "Orphan", dry_run=True)
    assert delete_options({}) == DeleteOptions()


def test_wrong_delete_options_are_refused() -> None:
    """Values that cannot be read are refused; what they mean together is the core's to judge."""
    with pytest.raises(StatusError, match=r'dryRun: Unsupported value: \["x"\]'):
        delete_options({"dryRun": "x"})
    with pytest.raises(StatusError, match="invalid syntax"):
        delete_options({"gracePeriodSeconds": "soon"})

"""Options as bytes: what callers write is what servers read."""

from kubewire.api.meta.v1.options_pb2 import CreateOptions, DeleteOptions, ListOptions, PatchOptions
from kubewire.client.resources.options import (
    Deleting,
    Propagation,
    Selection,
    Watching,
    Writing,
    create_options,
    delete_options,
    get_options,
    list_options,
    patch_options,
    watch_options,
)


def test_defaults_are_empty() -> None:
    """What is not asked for is not sent."""
    assert create_options(Writing()) == patch_options(Writing()) == get_options("") == b""
    assert list_options(Selection()) == b""
    assert delete_options(Deleting()) == DeleteOptions()


def test_writing() -> None:
    """Dry run, manager, validation, and force for patches."""
    writing = Writing(dry_run=True, field_manager="me", field_validation="Strict", force=True)
    created = CreateOptions.FromString(create_options(writing))
    assert (list(created.dryRun), created.fieldManager, created.fieldValidation) == (["All"], "me", "Strict")
    assert PatchOptions.FromString(patch_options(writing)).force


def test_deleting() -> None:
    """A grace period of zero is one."""
    options = delete_options(Deleting(0, Propagation.FOREGROUND, "u", "7", dry_run=True))
    assert options.HasField("gracePeriodSeconds")
    assert (options.gracePeriodSeconds, options.propagationPolicy) == (0, "Foreground")
    assert (options.preconditions.uid, options.preconditions.resourceVersion) == ("u", "7")
    assert list(options.dryRun) == ["All"]


def test_lists_and_watches() -> None:
    """Selectors, pages, and where a watch starts."""
    options = ListOptions.FromString(list_options(Selection("a=b", "c=d"), limit=5, token="t", resource_version="7"))
    assert (options.labelSelector, options.fieldSelector, options.limit) == ("a=b", "c=d", 5)
    assert (getattr(options, "continue"), options.resourceVersion) == ("t", "7")
    watched = ListOptions.FromString(watch_options(Watching(resource_version="7")))
    assert (watched.watch, watched.allowWatchBookmarks, watched.resourceVersion) == (True, True, "7")
    assert not watched.HasField("sendInitialEvents")
    initial = ListOptions.FromString(watch_options(Watching(initial_state=True)))
    assert (initial.sendInitialEvents, initial.resourceVersionMatch) == (True, "NotOlderThan")

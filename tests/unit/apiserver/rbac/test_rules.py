"""What rules mean."""

import pytest

from kubewire.apiserver.rbac.rules import EVERYTHING, Rule, compacted, not_covered


def rule(verbs: str, resources: str = "", groups: str = "", names: str = "", urls: str = "") -> Rule:
    """A rule, from words; no group is the core group."""
    about = tuple(resources.split())
    return Rule(
        tuple(verbs.split()),
        (tuple(groups.split()) or ("",)) if about else (),
        about,
        tuple(names.split()),
        tuple(urls.split()),
    )


@pytest.mark.parametrize(
    ("given", "asked", "is_allowed"),
    [
        (rule("get list", "pods"), ("get", "", "pods", ""), True),
        (rule("get list", "pods"), ("delete", "", "pods", ""), False),
        (rule("get", "pods"), ("get", "", "pods", "log"), False),
        (rule("get", "pods/log"), ("get", "", "pods", "log"), True),
        (rule("get", "pods/log"), ("get", "", "pods", ""), False),
        (rule("get", "*/scale"), ("get", "apps", "deployments", "scale"), False),
        (rule("get", "*/scale", "*"), ("get", "apps", "deployments", "scale"), True),
        (rule("*", "*", "apps"), ("create", "apps", "deployments", "scale"), True),
        (rule("*", "*", "apps"), ("create", "batch", "jobs", ""), False),
        (rule("get", urls="/healthz"), ("get", "", "pods", ""), False),
    ],
)
def test_resources(given: Rule, asked: tuple[str, str, str, str], is_allowed: bool) -> None:  # noqa: FBT001 - a table
    """Verbs, groups, resources and subresources, by name or asterisk."""
    assert given.is_about(*asked) is is_allowed


@pytest.mark.parametrize(
    ("url", "path", "is_allowed"),
    [("/a", "/a", True), ("/a", "/a/b", False), ("/a/*", "/a/b/c", True), ("/a/*", "/a", False), ("*", "/x", True)],
)
def test_paths(url: str, path: str, is_allowed: bool) -> None:  # noqa: FBT001 - a table
    """By name, or by what they begin with."""
    assert rule("get", urls=url).allows_path("get", path) is is_allowed
    assert not rule("get", urls=url).allows_path("post", path)


@pytest.mark.parametrize(
    ("owned", "wanted", "missing"),
    [
        ([rule("get list", "pods")], [rule("get", "pods")], []),
        ([rule("get", "pods")], [rule("get list", "pods")], [rule("list", "pods")]),
        ([rule("*", "*", "*")], [rule("get", "pods/log")], []),
        ([rule("get", "pods")], [rule("get", "pods/log")], [rule("get", "pods/log")]),
        ([rule("get", "pods", names="a b")], [rule("get", "pods", names="a")], []),
        ([rule("get", "pods", names="a")], [rule("get", "pods")], [rule("get", "pods")]),
        ([rule("get", "pods")], [rule("get", "pods", names="a")], []),
        ([rule("get", "pods"), rule("list", "pods")], [rule("get list", "pods")], []),
        ([rule("get", urls="/a/*")], [rule("get", urls="/a/b /c")], [rule("get", urls="/c")]),
        ([rule("*", "*", "*")], list(EVERYTHING), [rule("*", urls="*")]),
        (list(EVERYTHING), list(EVERYTHING), []),
        ([rule("get", "*")], [rule("get", "*")], []),
        ([rule("get", "pods services")], [rule("get", "*")], [rule("get", "*")]),
    ],
)
def test_what_is_not_covered(owned: list[Rule], wanted: list[Rule], missing: list[Rule]) -> None:
    """Verb by verb, resource by resource, name by name."""
    assert not_covered(owned, wanted) == missing


def test_rules_in_messages() -> None:
    """As upstream writes them, those that differ in verbs alone as one."""
    both = compacted([rule("get", "pods"), rule("list", "pods"), rule("get", urls="/a")])
    assert list(map(str, both)) == [
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
        '{NonResourceURLs:["/a"], Verbs:["get"]}',
    ]

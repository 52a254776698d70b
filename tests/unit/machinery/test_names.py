"""Names are judged as Kubernetes judges them, in its words."""

from random import Random

import pytest

from kubewire.machinery import names

VALID = [
    (names.dns1123_label, ["a", "0", "my-name", "123-abc", "a" * 63]),
    (names.dns1123_subdomain, ["a", "a.b", "my-name.example.com", "a" * 253]),
    (names.dns1035_label, ["a", "abc-123"]),
    (names.wildcard_subdomain, ["*.example.com"]),
    (names.qualified_name, ["a", "MyName", "my.name_x", "example.com/MyName", "a" * 63]),
    (names.label_value, ["", "a", "A_b.c-9", "a" * 63]),
    (names.c_identifier, ["_", "a1"]),
    (names.port_name, ["http", "8080a", "a-b"]),
    (names.env_var_name, ["a b", "1", "PATH"]),
    (names.config_map_key, [".env", "a.b", "A"]),
    (names.http_header_name, ["X-Header-Name"]),
    (names.percent, ["1%", "100%"]),
    (names.path_segment, ["system:node", "a b", "...", ".a"]),
]

INVALID = [
    (names.dns1123_label, ["", "A", "-a", "a-", "a_b", "a" * 64, "a\n"]),
    (names.dns1123_subdomain, ["", "A.b", "a..b", ".a", "a.", "a" * 254]),
    (names.dns1035_label, ["", "1a", "a.b"]),
    (names.wildcard_subdomain, ["*", "a.*.com", "**.com"]),
    (names.qualified_name, ["", "/a", "a/", "a/b/c", "A/b", "-a", "a" * 64, "ä"]),
    (names.label_value, ["-", "a ", "a" * 64, "a\n"]),
    (names.c_identifier, ["", "1a", "a-b"]),
    (names.port_name, ["", "80", "-a", "a--b", "a" * 16, "A"]),
    (names.env_var_name, ["", "a=b", "ä", "a\n", "\x7f"]),
    (names.config_map_key, ["", "a/b", "..", "..a", ".", "a" * 254]),
    (names.http_header_name, ["", "a b"]),
    (names.percent, ["", "%", "-1%"]),
    (names.path_segment, [".", "..", "a/b", "a%b"]),
]


@pytest.mark.parametrize(("check", "texts"), VALID)
def test_well_formed(check: names.Check, texts: list[str]) -> None:
    """A well-formed text has no problems."""
    assert {text: check(text) for text in texts if check(text)} == {}


@pytest.mark.parametrize(("check", "texts"), INVALID)
def test_malformed(check: names.Check, texts: list[str]) -> None:
    """A malformed text has at least one problem."""
    assert [text for text in texts if not check(text)] == []


def test_wording() -> None:
    """The messages are those that users of Kubernetes know, spaces included."""
    assert names.label_value("a b") == [
        (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
            "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        )
    ]
    assert names.dns1123_subdomain("A") == [
        (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        )
    ]
    assert names.dns1123_label("a.b") == ["must not contain dots"]
    assert names.label_value("a" * 64) == ["must be no more than 63 bytes"]
    assert names.qualified_name("")[0] == "name part must be non-empty"
    assert names.qualified_name("/a") == ["prefix part must be non-empty"]
    assert names.config_map_key("..") == ["must not be '..'"]
    assert names.path_segment("a/b") == ["may not contain '/'"]
    assert names.port_number(0) == ["must be between 1 and 65535, inclusive"]


def test_name_prefix() -> None:
    """A prefix for generated names may end in the dash that the suffix follows."""
    check = names.as_name_prefix(names.dns1123_label)
    assert check("web-") == []
    assert check("-") != []
    assert check("Web-") != []


def test_generated_name() -> None:
    """A generated name keeps the base as far as it fits and ends in five unambiguous characters."""
    name = names.generated_name("web-", Random(1))
    assert name.startswith("web-")
    assert set(name[4:]) <= set(names.NAME_SUFFIX_ALPHABET)
    assert len(name) == 9
    assert len(names.generated_name("x" * 100, Random(1))) == 63

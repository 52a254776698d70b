"""Which names, keys and values are well-formed, in the words of Kubernetes.

Every check returns the list of what is wrong (empty when nothing is), so that validation can put each message
behind the path of the field it is about. Lengths are counted in bytes, as stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TypeAlias

Check: TypeAlias = Callable[[str], list[str]]
"""A check of one text: what is wrong with it."""

NAME_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and nothing that reads like another character: generated names spell no words."""
NAME_SUFFIX_LENGTH = 5
MAX_GENERATED_NAME_BASE = 63 - NAME_SUFFIX_LENGTH

LABEL_MAX = 63
SUBDOMAIN_MAX = 253
PORT_NAME_MAX = 15

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_HTTP_HEADER = "[-A-Za-z0-9]+"
_PERCENT = "[0-9]+%"


def regex_problem(problem: str, pattern: str, *examples: str) -> str:
    """`problem (e.g. 'a',  or 'b', regex used for validation is '...')`, spaces as users' scripts know them."""
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{problem} ({'e.g. ' if examples else ''}{shown}regex used for validation is '{pattern}')"


def max_length_problem(limit: int) -> str:
    """A text has more bytes than `limit`."""
    return f"must be no more than {limit} bytes"


def range_problem(low: int, high: int) -> str:
    """A number is outside `low..high`."""
    return f"must be between {low} and {high}, inclusive"


EMPTY = "must be non-empty"
NO_DOTS = "must not contain dots"

_LABEL_PROBLEM = regex_problem(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_PROBLEM = regex_problem(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_LABEL_1035_PROBLEM = regex_problem(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_WILDCARD_PROBLEM = regex_problem(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD,
    "*.example.com",
)
_QUALIFIED_PROBLEM = regex_problem(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    _QUALIFIED,
    "MyName",
    "my.name",
    "123-abc",
)
_LABEL_VALUE_PROBLEM = regex_problem(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_C_IDENTIFIER_PROBLEM = regex_problem(
    "a valid C identifier must start with alphabetic character or '_', "
    "followed by a string of alphanumeric characters or '_'",
    _C_IDENTIFIER,
    "my_name",
    "MY_NAME",
    "MyName",
)
_CONFIG_KEY_PROBLEM = regex_problem(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_HTTP_HEADER_PROBLEM = regex_problem(
    "a valid HTTP header must consist of alphanumeric characters or '-'", _HTTP_HEADER, "X-Header-Name"
)
_PERCENT_PROBLEM = regex_problem(
    "a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%"
)

_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_label_1035 = re.compile(_LABEL_1035).fullmatch
_is_wildcard = re.compile(_WILDCARD).fullmatch
_is_qualified = re.compile(_QUALIFIED).fullmatch
_is_label_value = re.compile(_LABEL_VALUE).fullmatch
_is_c_identifier = re.compile(_C_IDENTIFIER).fullmatch
_is_config_key = re.compile(_CONFIG_KEY).fullmatch
_is_http_header = re.compile(_HTTP_HEADER).fullmatch
_is_percent = re.compile(_PERCENT).fullmatch
_is_port_characters = re.compile("[-a-z0-9]+").fullmatch
_has_letter = re.compile("[a-z]").search
_is_relaxed_env = re.compile(r"[ -<>-~]*").fullmatch


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _checked(text: str, limit: int, is_valid: Callable[[str], object], problem: str) -> list[str]:
    problems = [] if _length(text) <= limit else [max_length_problem(limit)]
    if not is_valid(text):
        problems.append(problem)
    return problems


def dns1123_label(text: str) -> list[str]:
    """A name of one DNS label, e.g. a namespace's."""
    if _is_label(text) or not _is_subdomain(text):
        return _checked(text, LABEL_MAX, _is_label, _LABEL_PROBLEM)
    return _checked(text, LABEL_MAX, _is_label, NO_DOTS)


def dns1123_subdomain(text: str) -> list[str]:
    """A name of several labels joined by dots, e.g. a pod's or a config map's."""
    return _checked(text, SUBDOMAIN_MAX, _is_subdomain, _SUBDOMAIN_PROBLEM)


def dns1035_label(text: str) -> list[str]:
    """One DNS label that starts with a letter, e.g. a service's name."""
    return _checked(text, LABEL_MAX, _is_label_1035, _LABEL_1035_PROBLEM)


def wildcard_subdomain(text: str) -> list[str]:
    """A subdomain behind `*.`, e.g. an ingress host."""
    return _checked(text, SUBDOMAIN_MAX, _is_wildcard, _WILDCARD_PROBLEM)


def qualified_name(text: str) -> list[str]:
    """`name` or `prefix.example.com/name`: keys of labels, annotations, taints, extended resources."""
    prefix, slash, name = text.rpartition("/")
    if not slash:
        return _name_part(name)
    if "/" in prefix:
        shape = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {_QUALIFIED_PROBLEM}{shape}"]
    problems = dns1123_subdomain(prefix) if prefix else [EMPTY]
    return [f"prefix part {problem}" for problem in problems] + _name_part(name)


def _name_part(name: str) -> list[str]:
    if _is_qualified(name) and len(name) <= LABEL_MAX:
        return []
    problems = [] if name else [EMPTY]
    if name and _length(name) > LABEL_MAX:
        problems.append(max_length_problem(LABEL_MAX))
    if not _is_qualified(name):
        problems.append(_QUALIFIED_PROBLEM)
    return [f"name part {problem}" for problem in problems]


def label_value(text: str) -> list[str]:
    """The value of a label; may be empty."""
    return _checked(text, LABEL_MAX, _is_label_value, _LABEL_VALUE_PROBLEM)


def c_identifier(text: str) -> list[str]:
    """An identifier of the C language."""
    return [] if _is_c_identifier(text) else [_C_IDENTIFIER_PROBLEM]


def port_number(port: int) -> list[str]:
    """A port that can be served on."""
    return in_range(port, 1, 65535)


def user_or_group_id(number: int) -> list[str]:
    """A user's or group's id in a container."""
    return in_range(number, 0, 2**31 - 1)


def in_range(number: int, low: int, high: int) -> list[str]:
    """A number within `low..high`."""
    return [] if low <= number <= high else [range_problem(low, high)]


def port_name(text: str) -> list[str]:
    """The name of a container's or service's port (RFC 6335, lower case only)."""
    checks = (
        (_length(text) > PORT_NAME_MAX, max_length_problem(PORT_NAME_MAX)),
        (
            not _is_port_characters(text),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (not _has_letter(text), "must contain at least one letter (a-z)"),
        ("--" in text, "must not contain consecutive hyphens"),
        (text.startswith("-") or text.endswith("-"), "must not begin or end with a hyphen"),
    )
    return [problem for failed, problem in checks if failed]


def env_var_name(text: str) -> list[str]:
    """The name of an environment variable: printable ASCII without `=`."""
    problems = [] if text else [f"environment variable name {EMPTY}"]
    if not _is_relaxed_env(text):
        problems.append(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        )
    return problems


def config_map_key(text: str) -> list[str]:
    """A key of a ConfigMap or Secret, which may become a file's name."""
    return _checked(text, SUBDOMAIN_MAX, _is_config_key, _CONFIG_KEY_PROBLEM) + _parent_directory(text)


def _parent_directory(text: str) -> list[str]:
    if text in {".", ".."}:
        return [f"must not be '{text}'"]
    return ["must not start with '..'"] if text.startswith("..") else []


def http_header_name(text: str) -> list[str]:
    """The name of a header in a probe."""
    return [] if _is_http_header(text) else [_HTTP_HEADER_PROBLEM]


def percent(text: str) -> list[str]:
    """`25%`."""
    return [] if _is_percent(text) else [_PERCENT_PROBLEM]


def path_segment(text: str) -> list[str]:
    """A name that only has to fit into a URL's path, e.g. a role's."""
    if text in {".", ".."}:
        return [f"may not be '{text}'"]
    return path_segment_prefix(text)


def path_segment_prefix(text: str) -> list[str]:
    """What a name that has to fit into a URL's path may start with."""
    return [f"may not contain '{char}'" for char in "/%" if char in text]


def as_name_prefix(check: Check) -> Check:
    """The check for `generateName` that goes with a check for names: a trailing dash will not stay last."""

    def check_prefix(text: str) -> list[str]:
        masked = f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text
        return check(masked)

    return check_prefix


def generated_name(base: str, random: Random) -> str:
    """`base` with a random suffix, cut so that the whole stays a DNS label if `base` is one."""
    return base[:MAX_GENERATED_NAME_BASE] + name_suffix(random)


def name_suffix(random: Random) -> str:
    """The random part of a generated name."""
    return "".join(random.choices(NAME_SUFFIX_ALPHABET, k=NAME_SUFFIX_LENGTH))

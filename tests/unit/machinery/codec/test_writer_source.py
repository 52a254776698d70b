"""The source of a writer: a straight line over the fields in the order of their numbers."""

import ast

import pytest

from kubewire.api.index import MESSAGES
from kubewire.machinery.codec.fields import fields_of
from kubewire.machinery.codec.writer_source import source_of
from kubewire.machinery.codec.writers import default_text


def source(message: str) -> str:
    """As the writers make it, nothing remembered."""
    fields = fields_of(message)
    return source_of(fields, {field.number: default_text(field) for field in fields}, frozenset(), "")


def test_a_small_message_reads_as_expected() -> None:
    """One block a field, absent fields stand as their defaults, members come in JSON's order."""
    text = source("k8s.io.api.core.v1.LocalObjectReference")
    assert text.splitlines() == [
        "def write(o, r, i, e, S):",
        "    x1 = ''",
        "    p = q = 0",
        "    j = i",
        "    if j < e: t = o[j]; l = o[j + 1]; i = j + 2",
        "    else: t = 0",
        "    if t == 10:",
        "        if l > 127: l, i = read_length(o, i, l)",
        "        j = i + l",
        """        if l: v = r[i:j]; x1 = f',"name":"{S(v) or v}"'""",
        "        if j < e: t = o[j]; l = o[j + 1]; i = j + 2",
        "        else: t = 0",
        "    if t or j != e: raise Irregular",
        "    return f'{x1}'",
    ]


@pytest.mark.parametrize("message", ["k8s.io.api.core.v1.PodSpec", "k8s.io.api.autoscaling.v2.MetricTarget"])
def test_members_come_in_jsons_order(message: str) -> None:
    """Blocks are in the order of numbers, members in that of declaration."""
    text = source(message)
    numbers = [field.number for field in fields_of(message)]
    assert text.splitlines()[-1] == f"    return f'{''.join(f'{{x{number}}}' for number in numbers)}'"


def test_every_message_has_a_writer() -> None:
    """The source for every message of Kubernetes is Python."""
    for message in MESSAGES:
        ast.parse(source(message))

"""References in text."""

import pytest

from kubewire.api.core.v1.env_pb2 import EnvVar, EnvVarSource
from kubewire.kubelet.environment.expansion import expand, expand_words, unset_references, written_values

VARIABLES = {"A": "a", "EMPTY": "", "B": "$(A)", "with space": "s"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("$(A)", "a"),
        ("-$(A)-$(A)-", "-a-a-"),
        ("$(EMPTY)", ""),
        ("$(B)", "$(A)"),
        ("$(with space)", "s"),
        ("$(UNSET)", "$(UNSET)"),
        ("$()", "$()"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$a"),
        ("$$$$(A)", "$$(A)"),
        ("$A", "$A"),
        ("$", "$"),
        ("a$", "a$"),
        ("$(A", "$(A"),
        ("$(A $(A)", "$(A $(A)"),
        ("$)A(", "$)A("),
        ("costs 5$$", "costs 5$"),
    ],
)
def test_references(text: str, expanded: str) -> None:
    """Set variables are replaced once, unset ones stay, `$$` is a `$`, and any other `$` is itself."""
    assert expand(text, VARIABLES) == expanded


def test_words_are_expanded_each() -> None:
    """A value with spaces stays one argument."""
    assert expand_words(["echo", "$(with space) $(A)"], VARIABLES) == ["echo", "s a"]


def test_unset_references() -> None:
    """What is referred to and not set is named; escaped references are none."""
    assert unset_references("$(A)/$(X)/$$(Y)/$(Z)", VARIABLES) == ["X", "Z"]


def test_written_values() -> None:
    """Only values that stand in the spec count."""
    env = [EnvVar(name="A", value="1"), EnvVar(name="B", valueFrom=EnvVarSource()), EnvVar(name="C")]
    assert written_values(env) == {"A": "1", "C": ""}

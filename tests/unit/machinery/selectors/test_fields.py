"""Field selectors mean, print and fail as Kubernetes' do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.selectors import fields
from kubewire.machinery.selectors.fields import Requirement, Selector
from kubewire.machinery.selectors.requirements import SelectorError

PRINTED = {
    "": "",
    ",": "",
    "b=1,a==2": "a=2,b=1",
    "metadata.name=web,status.phase!=Running": "metadata.name=web,status.phase!=Running",
    "a=": "a=",
    r"a=\,\=\\": r"a=\,\=\\",
}


@pytest.mark.parametrize(("text", "printed"), PRINTED.items())
def test_parsed_selectors_print_canonically(text: str, printed: str) -> None:
    """A selector prints its terms sorted, with values escaped, and reads back as itself."""
    selector = fields.parse(text)
    assert str(selector) == printed
    assert fields.parse(printed) == selector
    assert hash(fields.parse(printed)) == hash(selector)


REFUSED = {
    "a": "invalid selector: 'a'; can't understand 'a'",
    "a=b,c": "invalid selector: 'a=b,c'; can't understand 'c'",
    "a=b=c": "invalid field selector: unescaped character in value: 61",
    r"a=\x": r"invalid field selector: invalid escape sequence: \x",
    "a=\\": "invalid field selector: invalid escape sequence: \\",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_malformed_selectors(text: str, message: str) -> None:
    """A selector that breaks the grammar is refused in Kubernetes' words."""
    with pytest.raises(SelectorError) as failure:
        fields.parse(text)
    assert str(failure.value) == message


def test_an_absent_field_counts_as_empty() -> None:
    """`spec.nodeName=` finds pods that are not bound."""
    assert fields.parse("spec.nodeName=").matches({})
    assert not fields.parse("spec.nodeName!=").matches({})
    assert fields.parse("a=1,b!=2").matches({"a": "1"})


def test_exact_value_and_fields() -> None:
    """A selector tells which fields it asks for and the one value that can be looked up."""
    selector = fields.parse("a=1,b!=2")
    assert selector.fields == ("a", "b")
    assert selector.exact_value("a") == "1"
    assert selector.exact_value("b") is None
    assert fields.equals("metadata.name", "x") == fields.parse("metadata.name=x")
    assert fields.EVERYTHING.is_everything
    assert not selector.is_everything


TERMS = st.builds(Requirement, st.sampled_from(["a", "b.c"]), st.text(alphabet="x,=\\!é", max_size=6), st.booleans())


@given(st.lists(TERMS, max_size=4), st.dictionaries(st.sampled_from(["a", "b.c"]), st.text("x,=", max_size=3)))
def test_text_and_meaning_agree(terms: list[Requirement], of: dict[str, str]) -> None:
    """A selector matches exactly when each term holds, and its text means the same."""
    selector = Selector(terms)
    assert selector.matches(of) == all((of.get(one.field, "") == one.value) == one.is_equal for one in terms)
    assert fields.parse(str(selector)).matches(of) == selector.matches(of)
    assert set(fields.parse(str(selector)).requirements) == set(terms)

"""Label selectors mean, print and fail as Kubernetes' do."""

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.selectors import labels
from kubewire.machinery.selectors.labels import Operator, Requirement, Selector, SelectorError

PRINTED = {
    "": "",
    "a=b": "a=b",
    " a = b ": "a=b",
    "b,a": "a,b",
    "a==b": "a==b",
    "a!=": "a!=",
    "a=": "a=",
    "!a": "!a",
    "! a": "!a",
    "a in (y,x,x)": "a in (x,y)",
    "x in (foo,,baz),y,z notin ()": "x in (,baz,foo),y,z notin ()",
    "a in (,)": "a in ()",
    "a>1,b<2": "a>1,b<2",
    "in in (in,notin)": "in in (in,notin)",
    "in=notin": "in=notin",
    "a,a=b,a!=c": "a,a=b,a!=c",
    "example.com/a\tnotin\n(b)": "example.com/a notin (b)",
}


@pytest.mark.parametrize(("text", "printed"), PRINTED.items())
def test_parsed_selectors_print_canonically(text: str, printed: str) -> None:
    """A selector prints sorted by key, its values sorted, and reads back as itself."""
    selector = labels.parse(text)
    assert str(selector) == printed
    assert labels.parse(printed) == selector
    assert hash(labels.parse(printed)) == hash(selector)


REFUSED = {
    "a,": "found '', expected: identifier after ','",
    "=a": "found '=', expected: !, identifier, or 'end of string'",
    ",a": "found ',', expected: !, identifier, or 'end of string'",
    "a=b=c": "found '=', expected: ',' or 'end of string'",
    "!a=b": "found '=', expected: ',' or 'end of string'",
    "a b": "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    "!": "unable to parse requirement: found '', expected: identifier",
    "a==!": "unable to parse requirement: found '!', expected: identifier",
    "a in x": "unable to parse requirement: found 'x' expected: '('",
    "a in (": "unable to parse requirement: found '', expected: ',', ')' or identifier",
    "a in (b": "unable to parse requirement: found '', expected: ',' or ')'",
    "a>b": (
        'unable to parse requirement: values[0]: Invalid value: "b": '
        "for 'Gt', 'Lt' operators, the value must be an integer"
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_malformed_selectors_say_what_was_expected(text: str, message: str) -> None:
    """A selector that breaks the grammar is refused in Kubernetes' words."""
    with pytest.raises(SelectorError) as failure:
        labels.parse(text)
    assert str(failure.value) == message


def test_malformed_keys_and_values_are_named() -> None:
    """A key or value that no label can have is refused with its place and the rule."""
    with pytest.raises(SelectorError, match=r"^unable to parse requirement: <nil>: Invalid value: \"-a\": name part"):
        labels.parse("-a")
    with pytest.raises(SelectorError, match=r"requirement: values\[0\]\[a\]: Invalid value: \"-\": a valid label must"):
        labels.parse("a=-")


def test_presence_and_absence() -> None:
    """`!=` and `notin` hold for objects without the label, `=`, `in`, `>` and `<` do not."""
    texts = ["a=1", "a!=1", "a in (1)", "a notin (1)", "a>0", "a<2", "a", "!a"]
    assert [text for text in texts if labels.parse(text).matches({})] == ["a!=1", "a notin (1)", "!a"]
    assert [text for text in texts if labels.parse(text).matches({"a": "1"})] == [
        "a=1",
        "a in (1)",
        "a>0",
        "a<2",
        "a",
    ]


@pytest.mark.parametrize("value", ["", "x", "1_0", "9223372036854775808", "\u0661", "9" * 60])
def test_order_needs_a_64_bit_integer(value: str) -> None:
    """`>` and `<` hold for no label that is not a 64-bit decimal number."""
    assert not labels.parse("a>0").matches({"a": value})
    assert not labels.parse("a<0").matches({"a": value})


def test_everything_and_nothing() -> None:
    """An empty selector matches all, an absent one none."""
    assert labels.EVERYTHING.matches({})
    assert labels.EVERYTHING.is_everything
    assert not labels.NOTHING.matches({"a": "b"})
    assert not labels.NOTHING.is_everything
    assert labels.NOTHING != labels.EVERYTHING
    assert labels.from_json(None) is labels.NOTHING
    assert labels.from_json({}) == labels.EVERYTHING
    assert labels.from_message(None) is labels.NOTHING


def test_from_json_and_message() -> None:
    """A LabelSelector is the conjunction of its labels and expressions, in either form."""
    in_json = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["b", "a"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    message = SimpleNamespace(
        matchLabels={"app": "web"},
        matchExpressions=[
            SimpleNamespace(key="tier", operator="In", values=["b", "a"]),
            SimpleNamespace(key="old", operator="DoesNotExist", values=[]),
        ],
    )
    assert str(labels.from_json(in_json)) == "app=web,!old,tier in (a,b)"
    assert labels.from_message(message) == labels.from_json(in_json)


@pytest.mark.parametrize(
    "selector",
    [
        {"matchExpressions": [{"key": "a", "operator": "Near"}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": []}]},
        {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
        {"matchExpressions": [1]},
        {"matchLabels": ["a"]},
        {"matchLabels": {"a": "-"}},
    ],
)
def test_malformed_label_selector(selector: Mapping[str, object]) -> None:
    """A LabelSelector with a wrong operator, count, type or value is refused."""
    with pytest.raises(SelectorError):
        labels.from_json(selector)


def test_exact_value() -> None:
    """A selector tells the one value an index can look up."""
    assert labels.parse("a=b,c in (d),e in (f,g)").exact_value("a") == "b"
    assert labels.parse("c in (d)").exact_value("c") == "d"
    assert labels.parse("e in (f,g)").exact_value("e") is None
    assert labels.parse("e!=f").exact_value("e") is None
    assert labels.parse("e=f").exact_value("other") is None


KEYS = st.sampled_from(["a", "b", "example.com/c"])
VALUES = st.sampled_from(["", "x", "y", "1", "2", "10"])
REQUIREMENTS = st.one_of(
    st.builds(Requirement, KEYS, st.sampled_from([Operator.EXISTS, Operator.DOES_NOT_EXIST]), st.just(())),
    st.builds(
        lambda key, operator, values: Requirement(key, operator, tuple(sorted(values))),
        KEYS,
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.sets(VALUES, min_size=1),
    ),
    st.builds(
        lambda key, operator, value: Requirement(key, operator, (value,)),
        KEYS,
        st.sampled_from([Operator.EQUALS, Operator.DOUBLE_EQUALS, Operator.NOT_EQUALS]),
        VALUES,
    ),
    st.builds(
        lambda key, operator, value: Requirement(key, operator, (value,)),
        KEYS,
        st.sampled_from([Operator.GREATER_THAN, Operator.LESS_THAN]),
        st.sampled_from(["1", "5"]),
    ),
)


def holds(one: Requirement, of: Mapping[str, str]) -> bool:
    """What a requirement means, spelt out."""
    value = of.get(one.key)
    match one.operator:
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None
        case Operator.NOT_IN | Operator.NOT_EQUALS:
            return value is None or value not in one.values
        case Operator.GREATER_THAN:
            return value is not None and value.isdigit() and int(value) > int(one.values[0])
        case Operator.LESS_THAN:
            return value is not None and value.isdigit() and int(value) < int(one.values[0])
    return value is not None and value in one.values


@given(st.lists(REQUIREMENTS, max_size=4), st.dictionaries(KEYS, VALUES))
def test_compiled_selectors_mean_their_requirements(requirements: list[Requirement], of: dict[str, str]) -> None:
    """A compiled selector matches exactly when each requirement holds, and its text means the same."""
    selector = Selector(requirements)
    assert selector.matches(of) == all(holds(one, of) for one in requirements)
    assert labels.parse(str(selector)).matches(of) == selector.matches(of)
    assert labels.parse(str(selector)) == selector


@given(st.text(alphabet="ab=!()<>, inot\x00é", max_size=20))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text does anything but make a selector or a SelectorError."""
    try:
        selector = labels.parse(text)
    except SelectorError:
        return
    assert labels.parse(str(selector)) == selector

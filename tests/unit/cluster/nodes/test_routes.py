"""Routes to other nodes' pods."""

from hypothesis import given
from hypothesis import strategies as st

from kubewire.cluster.nodes.routes import plan

tables = st.dictionaries(
    st.sampled_from([f"10.244.{number}.0/24" for number in range(6)]), st.sampled_from(["10.243.0.11", "10.243.0.12"])
)


def test_plan() -> None:
    """Routes are taken away, changed in one step, added; what is right stays untouched."""
    present = {"10.244.1.0/24": "a", "10.244.2.0/24": "b", "10.244.3.0/24": "c"}
    wanted = {"10.244.2.0/24": "b", "10.244.3.0/24": "d", "10.244.4.0/24": "e"}
    assert plan(present, wanted, "eth0") == [
        "route delete 10.244.1.0/24 dev eth0 proto 207",
        "route replace 10.244.3.0/24 via d dev eth0 proto 207",
        "route replace 10.244.4.0/24 via e dev eth0 proto 207",
    ]


@given(tables, tables)
def test_plan_leads_there(present: dict[str, str], wanted: dict[str, str]) -> None:
    """Carried out, a plan leads from any table to any other; from a table to itself there is nothing to do."""
    table = dict(present)
    for command in plan(present, wanted, "eth0"):
        _, verb, destination, *rest = command.split()
        if verb == "delete":
            del table[destination]
        else:
            table[destination] = rest[1]
    assert table == wanted
    assert plan(wanted, wanted, "eth0") == []

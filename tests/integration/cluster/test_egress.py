"""The way out of a cluster, and nothing beside it."""

from tests.machine import alone


def test_the_way_out() -> None:
    """A cluster is let out under the host's address while it is open, nobody gets in, and the switch is put back.

    Two clusters share the switch: it goes back when the second is shut, to what it was before the first.
    """
    host = "192.0.2.2"
    assert alone("tests.integration.cluster.egress_life") == {
        "shut": [None, "0"],
        "one": [host, None, "1"],
        "both": [host, host, "1"],
        "inwards": [True, False, False],
        "two": [None, host, "1"],
        "gone": ["", "0"],
    }

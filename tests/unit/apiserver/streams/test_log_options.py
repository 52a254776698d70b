"""Which options of logs fit together."""

import pytest

from kubewire.api.core.v1.connect_options_pb2 import PodLogOptions
from kubewire.api.meta.v1.time_pb2 import Time
from kubewire.apiserver.streams.log_options import check
from kubewire.machinery.errors import StatusError

PROBLEMS = {
    "tailLines: Invalid value: -1: must be greater than or equal to 0": PodLogOptions(tailLines=-1),
    "limitBytes: Invalid value: 0: must be greater than 0": PodLogOptions(limitBytes=0),
    "sinceSeconds: Invalid value: 0: must be greater than 0": PodLogOptions(sinceSeconds=0),
    "at most one of `sinceTime` or `sinceSeconds` may be specified": PodLogOptions(
        sinceSeconds=1, sinceTime=Time(seconds=1)
    ),
    'stream: Unsupported value: "Both"': PodLogOptions(stream="Both"),
    "`tailLines` and specific `stream` are mutually exclusive": PodLogOptions(stream="Stdout", tailLines=1),
}


def test_ordinary_options_pass() -> None:
    """Nothing at all, and everything that fits together."""
    check("web", PodLogOptions())
    check("web", PodLogOptions(tailLines=0, limitBytes=1, sinceSeconds=1, stream="All", follow=True))


@pytest.mark.parametrize(("problem", "options"), PROBLEMS.items(), ids=PROBLEMS)
def test_what_does_not_fit_is_invalid(problem: str, options: PodLogOptions) -> None:
    """A 422 that names the field."""
    with pytest.raises(StatusError) as raised:
        check("web", options)
    assert raised.value.code == 422
    assert problem in raised.value.message

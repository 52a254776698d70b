"""The careful reader by itself; the whole of its rules is tested through `decode`."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.machinery.codec.careful_reader import PROBLEMS_AT_MOST, CarefulReader
from kubewire.machinery.codec.document import parse_carefully


def test_problems_are_collected_once_each_in_the_order_of_the_text() -> None:
    """And a value that fits is put in between."""
    careful, pod = CarefulReader(), Pod()
    careful.fill(pod, "k8s.io.api.core.v1.Pod", parse_carefully(b'{"b":1,"spec":{"a":1,"nodeName":"n","a":2},"a":{}}'))
    assert careful.problems == ['unknown field "b"', 'unknown field "spec.a"', 'unknown field "a"']
    assert pod.spec.nodeName == "n"
    assert PROBLEMS_AT_MOST == 100


def test_paths_have_keys_of_maps_and_indexes_of_lists() -> None:
    """As Kubernetes words them."""
    text = b'{"metadata":{"managedFields":[{},{"x":1}],"annotations":{"a.b/c":"1","a.b/c":"2"}}}'
    careful = CarefulReader()
    careful.fill(Pod(), "k8s.io.api.core.v1.Pod", parse_carefully(text))
    assert careful.problems == [
        'unknown field "metadata.managedFields[1].x"',
        'duplicate field "metadata.annotations.a.b/c"',
    ]

"""Creating objects through the whole pipeline."""

import json
from dataclasses import replace

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.contracts import Body, Encoding, Written
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.storing import NAME_ATTEMPTS
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body

A: Json = {"metadata": {"name": "a"}, "data": {"k": "v"}}
POD: Json = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


async def refused(cluster: Cluster, name: str, path: str, obj: Json, options: WriteOptions = PLAIN) -> StatusError:
    """The error that creating an object is answered with."""
    with pytest.raises(StatusError) as raised:
        await cluster.create(name, path, obj, options)
    return raised.value


async def test_a_new_object_is_completed_and_stored(cluster: Cluster) -> None:
    """It gets a uid, a time of birth, a version and an owner of its fields, and can be read at once."""
    made = await cluster.create("configmaps", "default/", A)
    meta = made["metadata"]
    assert (meta["namespace"], meta["name"], made["data"]) == ("default", "a", {"k": "v"})
    assert len(meta["uid"]) == 36
    assert meta["creationTimestamp"] == "2027-01-15T08:00:00Z"
    assert meta["managedFields"] == [
        {
            "manager": "kubectl",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2027-01-15T08:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:k": {}}},
        }
    ]
    assert await cluster.get("configmaps", "default/a") == made


async def test_what_only_the_server_may_say_is_not_taken_from_the_author(cluster: Cluster) -> None:
    """Uid, birth, deletion, status and generation of a new pod are the server's."""
    given: dict[str, object] = {**POD, "status": {"phase": "Running"}}
    given["metadata"] = {
        "name": "p",
        "uid": "mine",
        "generation": 7,
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
    }
    made = await cluster.create("pods", "default/", given)
    meta = made["metadata"]
    assert meta["uid"] != "mine"
    assert meta["generation"] == 1
    assert meta["creationTimestamp"] == "2027-01-15T08:00:00Z"
    assert "deletionTimestamp" not in meta
    assert made["status"]["phase"] == "Pending"


async def test_the_field_manager_may_be_named(cluster: Cluster) -> None:
    """Without a name it is the user agent's first word."""
    made = await cluster.create("configmaps", "default/", A, WriteOptions(field_manager="me"))
    assert made["metadata"]["managedFields"][0]["manager"] == "me"


async def test_a_taken_name_is_a_conflict(cluster: Cluster) -> None:
    """409 AlreadyExists; it says so when the object is on its way out."""
    await cluster.create("configmaps", "default/", A)
    error = await refused(cluster, "configmaps", "default/", A)
    assert (error.code, str(error)) == (409, 'configmaps "a" already exists')
    held: Json = {"metadata": {"name": "h", "finalizers": ["x.io/y"]}}
    await cluster.create("configmaps", "default/", held)
    await cluster.delete("configmaps", "default/h")
    error = await refused(cluster, "configmaps", "default/", held)
    assert str(error) == 'object is being deleted: configmaps "h" already exists'


async def test_names_are_generated_until_one_is_free(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken name is replaced by another; in the end the caller is asked to try again."""
    monkeypatch.setattr("kubewire.machinery.names.NAME_SUFFIX_ALPHABET", "xy")
    monkeypatch.setattr("kubewire.machinery.names.NAME_SUFFIX_LENGTH", 2)
    given: Json = {"metadata": {"generateName": "g-"}}
    names = set()

    async def create_many() -> None:
        for _ in range(100):
            names.add((await cluster.create("configmaps", "default/", given))["metadata"]["name"])

    with pytest.raises(StatusError) as raised:
        await create_many()
    assert names <= {"g-xx", "g-xy", "g-yx", "g-yy"}
    assert len(names) > 1
    assert raised.value.retry_after_seconds == 1
    assert "the server was not able to generate a unique name for the object" in str(raised.value)
    assert NAME_ATTEMPTS == 8


async def test_namespaces_must_exist_and_take_objects(cluster: Cluster) -> None:
    """404 for one that is not there, 403 with its cause for one that is being deleted."""
    error = await refused(cluster, "configmaps", "nowhere/", A)
    assert (error.code, str(error)) == (404, 'namespaces "nowhere" not found')
    await cluster.create("namespaces", "", {"metadata": {"name": "leaving"}})
    assert not await cluster.delete("namespaces", "leaving")
    await cluster.core.cache.barrier()
    error = await refused(cluster, "configmaps", "leaving/", A)
    why = "unable to create new content in namespace leaving because it is being terminated"
    assert (error.code, str(error)) == (403, f'configmaps "a" is forbidden: {why}')
    assert error.details is not None
    assert [tuple(cause) for cause in error.details.causes] == [
        ("NamespaceTerminating", "namespace leaving is being terminated", "metadata.namespace")
    ]


async def test_an_object_goes_where_its_request_goes(cluster: Cluster) -> None:
    """Another namespace in the object is a bad request; cluster-scoped kinds have none."""
    error = await refused(cluster, "configmaps", "default/", {"metadata": {"name": "a", "namespace": "other"}})
    assert (error.code, error.reason) == (400, "BadRequest")
    assert str(error) == "the namespace of the provided object does not match the namespace sent on the request"
    made = await cluster.create("nodes", "", {"metadata": {"name": "n", "namespace": "default"}})
    assert "namespace" not in made["metadata"]


async def test_a_new_object_has_no_version(cluster: Cluster) -> None:
    """Kubernetes answers 500 without a reason, and so do we."""
    error = await refused(cluster, "configmaps", "default/", {"metadata": {"name": "a", "resourceVersion": "7"}})
    assert (error.code, error.reason) == (500, "")
    assert str(error) == "resourceVersion should not be set on objects to be created"


async def test_an_invalid_object_is_refused_with_every_cause(cluster: Cluster) -> None:
    """422 naming the fields; nothing is written."""
    error = await refused(cluster, "pods", "default/", {"metadata": {"name": "P"}, "spec": {"containers": []}})
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.details is not None
    assert {cause.field for cause in error.details.causes} >= {"metadata.name", "spec.containers"}
    assert not await cluster.exists("pods", "default/P")


async def test_a_dry_run_does_everything_but_write(cluster: Cluster) -> None:
    """It answers as if it had, without a version, and refuses what would be refused."""
    made = await cluster.create("pods", "default/", POD, WriteOptions(dry_run=True))
    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    assert not await cluster.exists("pods", "default/p")
    await cluster.create("pods", "default/", POD)
    error = await refused(cluster, "pods", "default/", POD, WriteOptions(dry_run=True))
    assert error.reason == "AlreadyExists"


@pytest.mark.parametrize("validation", ["", "Warn", "Ignore", "Strict"])
async def test_unknown_fields_are_refused_warned_of_or_ignored(cluster: Cluster, validation: str) -> None:
    """As the caller asks; without a word, warned of."""
    given = {**A, "foo": 1}
    options = WriteOptions(field_validation=validation)  # type: ignore[arg-type]  # one of the literals
    if validation == "Strict":
        error = await refused(cluster, "configmaps", "default/", given, options)
        assert str(error) == (
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"'
        )
        return
    call = cluster.call("configmaps", "default/")
    await cluster.objects.create(call, body(given), options)
    assert call.warnings == ([] if validation == "Ignore" else ['unknown field "foo"'])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"",
            "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse ",
        ),
        (
            b"{",
            "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse ",
        ),
        (
            b'{"kind": "Pod", "apiVersion": "v1"}',
            'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown ',
        ),
        (
            b'{"kind": "Foo", "apiVersion": "foo.io/v1"}',
            'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "foo.io/v1"',
        ),
        (
            b'{"kind": "ConfigMap", "apiVersion": "v2"}',
            "the API version in the data (v2) does not match the expected API version (v1)",
        ),
        (b'{"data": 3}', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number '),
    ],
)
async def test_a_body_that_is_no_such_object_is_a_bad_request(cluster: Cluster, data: bytes, message: str) -> None:
    """400 in Kubernetes' words."""
    with pytest.raises(StatusError) as raised:
        await cluster.objects.create(cluster.call("configmaps", "default/"), Body(data, Encoding.JSON), PLAIN)
    assert raised.value.code == 400
    assert str(raised.value).startswith(message)


async def test_protobuf_and_json_make_the_same_object(cluster: Cluster) -> None:
    """Whatever a body is written in, what is stored is the same but for identity."""
    message = ConfigMap(data={"k": "v"})
    message.metadata.name = "b"
    message.metadata.selfLink = ""
    sent = [body(A), Body(message.SerializeToString(), Encoding.PROTOBUF)]
    raws = []
    for one in sent:
        item = (await cluster.objects.create(cluster.call("configmaps", "default/"), one, PLAIN)).item
        made = ConfigMap.FromString(item.raw)
        made.metadata.name = made.metadata.uid = made.metadata.resourceVersion = ""
        raws.append(made.SerializeToString(deterministic=True))
    assert raws[0] == raws[1]


async def test_bytes_that_are_no_protobuf_are_a_bad_request(cluster: Cluster) -> None:
    """Neither alone nor behind the envelope's first bytes."""
    for encoding, data in (
        (Encoding.PROTOBUF, b"\xff"),
        (Encoding.ENVELOPE, b"abc"),
        (Encoding.ENVELOPE, b"k8s\0\xff"),
    ):
        with pytest.raises(StatusError) as raised:
            await cluster.objects.create(cluster.call("configmaps", "default/"), Body(data, encoding), PLAIN)
        assert (raised.value.code, raised.value.reason) == (400, "BadRequest")


async def test_a_batch_is_written_side_by_side_with_a_result_each(cluster: Cluster) -> None:
    """Objects that are refused do not keep others from being written."""
    bodies = [body({"metadata": {"name": name}}) for name in ("a", "B", "c", "a")]
    results = await cluster.objects.create_many(cluster.call("configmaps", "default/"), bodies, PLAIN)
    shown = [one.item.name if isinstance(one, Written) else one.reason for one in results]
    assert shown == ["a", "Invalid", "c", "AlreadyExists"]


async def test_nothing_is_decoded_for_callers_who_may_not_write(cluster: Cluster) -> None:
    """403 comes before 400."""
    call = replace(cluster.call("configmaps", "default/"), identity=as_member("x"))
    with pytest.raises(StatusError) as raised:
        await cluster.objects.create(call, Body(b"{", Encoding.JSON), PLAIN)
    assert str(raised.value) == (
        'configmaps is forbidden: User "x" cannot create resource "configmaps" in API group "" in the namespace '
        '"default"'
    )


async def test_writes_are_remembered_with_author_and_cause(cluster: Cluster) -> None:
    """The ring knows who wrote what, when it arrived, and what made the author write."""
    call = replace(cluster.call("pods", "default/"), cause="ReplicaSet/default/r@7")
    written = await cluster.objects.create(call, Body(json.dumps(POD).encode(), Encoding.JSON), PLAIN)
    [record] = cluster.core.ring.of("pods", "default", "p")
    assert (record.verb, record.user, record.manager) == ("create", "admin", "kubectl")
    assert (record.cause, record.revision) == ("ReplicaSet/default/r@7", written.item.revision)
    assert record.uid == written.item.metadata.uid


async def test_a_full_server_turns_writers_away(cluster: Cluster) -> None:
    """429 with a time to come back; administrators are let in."""
    cluster.core.writes.count = 10_000
    call = replace(cluster.call("configmaps", "default/"), identity=as_member("x"))
    with pytest.raises(StatusError) as raised:
        await cluster.objects.create(call, body(A), PLAIN)
    assert (raised.value.code, raised.value.retry_after_seconds) == (429, 1)
    await cluster.create("configmaps", "default/", A)

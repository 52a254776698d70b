"""Requests for certificates: who asks is noted, and verdicts are given through `approval`."""

from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created, updated

KIND = "certificates.k8s.io/v1 CertificateSigningRequest"
APPROVED: JsonObject = {"type": "Approved", "status": "True", "reason": "r"}
FAILED: JsonObject = {"type": "Failed", "status": "True"}
CERTIFICATE = "eA=="
TIMES: JsonObject = {"lastUpdateTime": "1970-01-01T00:33:20Z", "lastTransitionTime": "1970-01-01T00:33:20Z"}


def test_who_asks_is_who_called() -> None:
    """Whatever the request says."""
    made = created(KIND, {"spec": {"username": "root", "groups": ["system:masters"], "extra": {"a": ["b"]}}})
    assert at(made, "spec.username") == "author"
    assert at(made, "spec.uid") == "author-uid"
    assert at(made, "spec.groups") == ["system:authenticated"]
    assert at(made, "spec.extra") is None


def test_nothing_is_approved_at_birth() -> None:
    """A status that is given is cleared."""
    assert at(created(KIND, {"status": {"conditions": [APPROVED]}}), "status") == {}


def test_the_spec_is_fixed() -> None:
    """No update changes it."""
    old = created(KIND, {"spec": {"signerName": "a/b"}})
    assert at(updated(KIND, old, {"spec": {"signerName": "c/d"}}), "spec.signerName") == "a/b"


def test_verdicts_come_through_approval() -> None:
    """There, conditions change and are stamped; the certificate does not."""
    old = created(KIND, {})
    change = {"status": {"conditions": [APPROVED], "certificate": CERTIFICATE}}
    new = updated(KIND, old, change, via="approval")
    assert at(new, "status") == {"conditions": [{**APPROVED, **TIMES}]}


def test_a_status_update_gives_no_verdict() -> None:
    """The certificate and other conditions change; verdicts stay as they are."""
    old = updated(KIND, created(KIND, {}), {"status": {"conditions": [APPROVED]}}, via="approval")
    denied = {"type": "Denied", "status": "True"}
    change = {"status": {"conditions": [denied, FAILED], "certificate": CERTIFICATE}}
    new = updated(KIND, old, change, via="status")
    conditions = [{**APPROVED, **TIMES}, {**FAILED, **TIMES}]
    assert at(new, "status") == {"conditions": conditions, "certificate": CERTIFICATE}

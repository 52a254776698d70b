"""The answer to each kind of review: its status, from what authenticators and authorizers say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from kubewire.apiserver.auth.authentication import Authentication, Credentials, InvalidToken
from kubewire.apiserver.auth.authorization import PRIVILEGED_GROUP, Attributes, Authorization, Verdict
from kubewire.apiserver.contracts import Call, Extra, Identity
from kubewire.apiserver.nodes.identity import is_node
from kubewire.apiserver.rbac.rules import EVERYTHING
from kubewire.machinery import errors, field_errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.field_errors import FieldError
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.selectors import fields

if TYPE_CHECKING:
    from kubewire.api.authentication.v1.self_subject_review_pb2 import SelfSubjectReview
    from kubewire.api.authentication.v1.token_review_pb2 import TokenReview
    from kubewire.api.authentication.v1.user_info_pb2 import UserInfo
    from kubewire.api.authorization.v1.self_subject_rules_review_pb2 import (
        SelfSubjectRulesReview,
        SubjectRulesReviewStatus,
    )
    from kubewire.api.authorization.v1.subject_access_review_pb2 import (
        LocalSubjectAccessReview,
        ResourceAttributes,
        SelfSubjectAccessReview,
        SelfSubjectAccessReviewSpec,
        SubjectAccessReview,
        SubjectAccessReviewSpec,
        SubjectAccessReviewStatus,
    )
    from kubewire.apiserver.rbac.rules import Rule

_SPEC = ROOT.child("spec")


class RulesFor(Protocol):
    """Lists what a user may do."""

    def rules_for(self, identity: Identity, namespace: str) -> tuple[list[Rule], str]:
        """Rules, and what kept others from being found."""
        ...


class Judges(NamedTuple):
    """Who knows the answers."""

    authentication: Authentication
    authorization: Authorization
    rules: RulesFor | None = None


def self_subject(review: SelfSubjectReview, call: Call, _judges: Judges) -> None:
    """Who the caller is."""
    review.ClearField("status")
    _describe(review.status.userInfo, call.identity)


def token(review: TokenReview, call: Call, judges: Judges) -> None:
    """Whose token it is. One that nobody knows is not authenticated, which is no error."""
    if not review.spec.token:
        problem = field_errors.required(_SPEC.child("token"), "token is required for TokenReview in authentication")
        raise _invalid(call, problem)
    review.ClearField("status")
    credentials = Credentials(bearer=review.spec.token, audiences=tuple(review.spec.audiences))
    known = judges.authentication
    try:
        identity = known.find(credentials)
    except InvalidToken as error:
        review.status.error = f"[invalid bearer token, {error}]"
        return
    audiences = known.audiences(credentials)
    if identity is None or (review.spec.audiences and not audiences):
        review.status.error = "invalid bearer token"
        return
    review.status.authenticated = True
    review.status.audiences.extend(audiences)
    _describe(review.status.user, identity)


def self_access(review: SelfSubjectAccessReview, call: Call, judges: Judges) -> None:
    """Whether the caller may do something."""
    review.ClearField("status")
    _decide(review.status, _attributes(review.spec, call.identity, call), judges)


def subject_access(review: SubjectAccessReview | LocalSubjectAccessReview, call: Call, judges: Judges) -> None:
    """Whether somebody else may do something."""
    spec = review.spec
    if not spec.user and not spec.groups:
        problem = field_errors.invalid(
            _SPEC.child("user"), spec.user, "at least one of user or group must be specified"
        )
        raise _invalid(call, problem)
    review.ClearField("status")
    identity = Identity(spec.user, spec.uid, tuple(spec.groups), _extra_of(spec))
    _decide(review.status, _attributes(spec, identity, call), judges)


def local_subject_access(review: LocalSubjectAccessReview, call: Call, judges: Judges) -> None:
    """Whether somebody else may do something in this namespace."""
    asked = review.spec.resourceAttributes
    if asked.namespace != call.namespace:
        message = "must match metadata.namespace"
        path = _SPEC.child("resourceAttributes", "namespace")
        raise _invalid(call, field_errors.invalid(path, asked.namespace, message))
    subject_access(review, call, judges)


def self_rules(review: SelfSubjectRulesReview, call: Call, judges: Judges) -> None:
    """What the caller may do in a namespace, as far as authorizers can list it."""
    if not review.spec.namespace:
        raise errors.bad_request("no namespace on request")
    review.ClearField("status")
    status, identity = review.status, call.identity
    if PRIVILEGED_GROUP in identity.groups:
        found, problems = list(EVERYTHING), ""
    elif judges.rules is None:
        found, problems = [], f"the authorizers in use list no rules; ask them with a {_SELF_ACCESS}"
    else:
        found, problems = judges.rules.rules_for(identity, review.spec.namespace)
        if is_node(identity):
            problems = "node authorizer does not support user rule resolution"
    for rule in found:
        _list(status, rule)
    status.incomplete = bool(problems)
    if problems:
        status.evaluationError = problems


def _list(status: SubjectRulesReviewStatus, rule: Rule) -> None:
    if rule.urls:
        status.nonResourceRules.add(verbs=rule.verbs, nonResourceURLs=rule.urls)
    if rule.resources:
        status.resourceRules.add(
            verbs=rule.verbs, apiGroups=rule.groups, resources=rule.resources, resourceNames=rule.names
        )


_SELF_ACCESS = "SelfSubjectAccessReview"


def _describe(info: UserInfo, identity: Identity) -> None:
    info.username, info.uid = identity.name, identity.uid
    info.groups.extend(identity.groups)
    for key, values in identity.extra:
        info.extra[key].items.extend(values)


def _extra_of(spec: SubjectAccessReviewSpec) -> Extra:
    return tuple((key, tuple(spec.extra[key].items)) for key in sorted(spec.extra))


def _attributes(
    spec: SelfSubjectAccessReviewSpec | SubjectAccessReviewSpec, identity: Identity, call: Call
) -> Attributes:
    """What is asked for; exactly one of the two forms must be given."""
    if spec.HasField("resourceAttributes") is spec.HasField("nonResourceAttributes"):
        path = _SPEC.child("resourceAttributes")
        message = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _invalid(call, field_errors.invalid(path, field_errors.OMITTED, message))
    if spec.HasField("nonResourceAttributes"):
        other = spec.nonResourceAttributes
        return Attributes(identity, other.verb, path=other.path)
    asked = spec.resourceAttributes
    return Attributes(
        identity,
        asked.verb,
        asked.group,
        asked.version,
        asked.resource,
        asked.subresource,
        asked.namespace,
        asked.name,
        fields=_field_text(asked),
    )


def _field_text(asked: ResourceAttributes) -> str:
    """The fields that the request would be narrowed to, as it would write them."""
    if asked.fieldSelector.rawSelector:
        return asked.fieldSelector.rawSelector
    return str(
        fields.Selector(
            fields.Requirement(one.key, one.values[0])
            for one in asked.fieldSelector.requirements
            if one.operator == "In" and len(one.values) == 1
        )
    )


def _decide(status: SubjectAccessReviewStatus, asked: Attributes, judges: Judges) -> None:
    decision = judges.authorization.decide(asked)
    status.allowed = decision.is_allowed
    if decision.verdict is Verdict.DENY:
        status.denied = True
    if decision.reason:
        status.reason = decision.reason


def _invalid(call: Call, problem: FieldError) -> StatusError:
    return errors.invalid(call.resource.group_kind, "", [problem])

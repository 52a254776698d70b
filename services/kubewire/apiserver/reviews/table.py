"""Which reviews there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from kubewire.apiserver.contracts import Call
from kubewire.apiserver.reviews import answers
from kubewire.apiserver.reviews.answers import Judges
from kubewire.machinery.gvk import GroupResource

_AUTHENTICATION: Final = "authentication.k8s.io"
_AUTHORIZATION: Final = "authorization.k8s.io"


class Review(NamedTuple):
    """One kind of review. `answer` fills the message in; `is_about_self`: everyone may ask."""

    answer: Callable[[Any, Call, Judges], None]  # Any: each takes the message of its own kind
    is_about_self: bool = False


REVIEWS: Final[Mapping[GroupResource, Review]] = {
    GroupResource(_AUTHENTICATION, "selfsubjectreviews"): Review(answers.self_subject, is_about_self=True),
    GroupResource(_AUTHENTICATION, "tokenreviews"): Review(answers.token),
    GroupResource(_AUTHORIZATION, "selfsubjectaccessreviews"): Review(answers.self_access, is_about_self=True),
    GroupResource(_AUTHORIZATION, "selfsubjectrulesreviews"): Review(answers.self_rules, is_about_self=True),
    GroupResource(_AUTHORIZATION, "subjectaccessreviews"): Review(answers.subject_access),
    GroupResource(_AUTHORIZATION, "localsubjectaccessreviews"): Review(answers.local_subject_access),
}

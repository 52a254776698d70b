"""From the selectors a client wrote to what the cache selects by; malformed ones get Kubernetes' answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.registry.conversions.table import conversion_of
from kubewire.apiserver.selectable import is_selectable
from kubewire.machinery import errors
from kubewire.machinery.quoting import quote
from kubewire.machinery.resources import Resource
from kubewire.machinery.selectors import fields, labels
from kubewire.machinery.selectors.requirements import SelectorError

_LONGEST_REMEMBERED: Final = 512
_NAMESPACE: Final = "metadata.namespace"
_OF_EVERY_KIND: Final = ("metadata.name", _NAMESPACE)


def selection_of(resource: Resource, namespace: str, label_text: str, field_text: str) -> Selection:
    """What of `resource` is meant; an empty namespace means all of them.

    Raises:
        StatusError: 400, a selector is malformed or names a field one cannot select by.
    """
    if not label_text and not field_text:
        return Selection(namespace) if namespace else EVERYTHING
    if len(label_text) + len(field_text) > _LONGEST_REMEMBERED:
        return _selection.__wrapped__(resource, namespace, label_text, field_text)
    return _selection(resource, namespace, label_text, field_text)


def exact_name(field_text: str) -> str:
    """The name of the one object that a field selector leaves; empty if it leaves several, or cannot be read."""
    try:
        return fields.parse(field_text).exact_value("metadata.name") or ""
    except SelectorError:
        return ""  # whoever serves the request says what is wrong with it


@lru_cache(maxsize=1024)
def _selection(resource: Resource, namespace: str, label_text: str, field_text: str) -> Selection:
    try:
        by_label = labels.parse(label_text)
        by_field = _kept(resource, fields.parse(field_text))
    except SelectorError as error:
        raise errors.bad_request(str(error)) from None
    return Selection(namespace or by_field.exact_value(_NAMESPACE) or "", by_label, by_field)


def _kept(resource: Resource, selector: fields.Selector) -> fields.Selector:
    """The selector in the names of the version that the cache keeps."""
    for field in selector.fields:
        if not is_selectable(resource, field):
            raise errors.bad_request(_unknown(resource, field))
    conversion = conversion_of(resource)
    if conversion is None:
        return selector
    return fields.Selector(one._replace(field=conversion.kept_field(one.field)) for one in selector.requirements)


def _unknown(resource: Resource, field: str) -> str:
    if resource.group in ("", "events.k8s.io") and resource.plural not in _METADATA_ONLY:
        return f"field label not supported: {field}"
    known = ", ".join(map(quote, _OF_EVERY_KIND))
    return f"{quote(field)} is not a known field selector: only {known}"


_METADATA_ONLY: Final = frozenset(
    {
        "configmaps",
        "endpoints",
        "limitranges",
        "persistentvolumeclaims",
        "persistentvolumes",
        "podtemplates",
        "resourcequotas",
        "serviceaccounts",
    }
)
"""Kinds of the core group that name the fields one can select by when asked for another."""

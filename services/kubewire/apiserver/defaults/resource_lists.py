"""Amounts in maps of resource name to quantity: no finer than a thousandth, and written canonically.

Stock servers round what authors write (`0.0001` CPU becomes `1m`) in every such map of an object.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from kubewire.machinery import quantity

if TYPE_CHECKING:
    from kubewire.api.core.v1.resources_pb2 import ResourceRequirements
    from kubewire.api.resource.quantity_pb2 import Quantity

ResourceList: TypeAlias = "MutableMapping[str, Quantity]"

_MILLI = -3


def default_resource_list(amounts: ResourceList) -> None:
    """Round every amount up to thousandths; what is no quantity is left for validation to name."""
    for amount in amounts.values():
        text = amount.string
        rounded = _rounded(text)
        if rounded != text:
            amount.string = rounded


def default_requirements(resources: ResourceRequirements) -> None:
    """Round limits and requests."""
    default_resource_list(resources.limits)
    default_resource_list(resources.requests)


def copy_missing(source: ResourceList, target: ResourceList) -> None:
    """Give `target` the amounts of resources that only `source` names."""
    for name, amount in source.items():
        if name not in target:
            target[name].CopyFrom(amount)


@lru_cache(4096)
def _rounded(text: str) -> str:
    try:
        return str(quantity.parse(text).round_up(_MILLI))
    except quantity.QuantityError:
        return text

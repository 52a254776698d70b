"""What we wrote stands in for what the cache does not show yet."""

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.client.objects import key_of
from kubewire.controller_manager.overlay import TRUSTED_SECONDS, Overlay


def config_map(version: str) -> ConfigMap:
    """A ConfigMap of a version."""
    made = ConfigMap()
    made.metadata.name, made.metadata.resourceVersion = "a", version
    return made


KEY = key_of(config_map("1"))


def versions(overlay: Overlay[ConfigMap], cached: list[ConfigMap], now: float = 0.0) -> list[str]:
    """What is seen."""
    return [one.metadata.resourceVersion for one in overlay.over(cached, [KEY], now)]


def test_a_created_object_is_there_at_once() -> None:
    """It stands in until the cache has it in any version; a cache that never has it is believed in the end."""
    overlay: Overlay[ConfigMap] = Overlay()
    overlay.wrote(config_map("5"), None, 0.0)
    assert versions(overlay, []) == ["5"]
    assert versions(overlay, [config_map("6")]) == ["6"]
    assert versions(overlay, []) == []
    overlay.wrote(config_map("5"), None, 0.0)
    assert versions(overlay, [], TRUSTED_SECONDS + 1) == []


def test_an_update_hides_what_it_replaced() -> None:
    """Until the cache has another version; a second update on top hides both that came before."""
    overlay: Overlay[ConfigMap] = Overlay()
    overlay.wrote(config_map("5"), config_map("4"), 0.0)
    assert versions(overlay, [config_map("4")]) == ["5"]
    overlay.wrote(config_map("6"), config_map("4"), 0.0)
    assert versions(overlay, [config_map("5")]) == ["6"]
    assert versions(overlay, [config_map("7")]) == ["7"]


def test_a_deleted_object_is_gone_at_once() -> None:
    """Unless another one takes its place."""
    overlay: Overlay[ConfigMap] = Overlay()
    overlay.deleted(config_map("4"), 0.0)
    assert versions(overlay, [config_map("4")]) == []
    assert versions(overlay, [config_map("8")]) == ["8"]

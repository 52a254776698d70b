"""Volumes of pods on a real disk: set up, mounted, brought up to date, removed."""

import asyncio
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.volume_pb2 import Volume
from kubewire.kubelet.contracts import Mount
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.disk import Disk
from kubewire.kubelet.volumes.layout import Layout
from kubewire.kubelet.volumes.mounting import KernelMounter
from kubewire.kubelet.volumes.payload import Payload
from kubewire.kubelet.volumes.volumes import PodVolumes, Surroundings
from kubewire.machinery.errors import service_unavailable
from tests.unit.kubelet.manifests import config_map, pod_of, secret
from tests.unit.kubelet.objects import KnownObjects, KnownTokens

UID = "uid-1"


class Node:
    """Volumes of a node, with objects and tokens that the test gives."""

    def __init__(self, layout: Layout, disk: Disk) -> None:
        self.objects = KnownObjects(config_map("settings", color="blue"), secret("keys", token=b"s3cret"))
        self.tokens = KnownTokens()
        self.outdated: list[str] = []
        self.layout = layout
        self.disk = disk
        self.volumes = self.started_anew()

    def started_anew(self) -> PodVolumes:
        """Volumes of a kubelet that remembers nothing."""
        around = Surroundings(lambda: {"memory": "1Gi"}, self.outdated.append, lambda: self.tokens.now)
        self.volumes = PodVolumes(self.layout, self.disk, self.objects, self.tokens, around)
        return self.volumes

    def folder(self, plugin: str, name: str = "v") -> Path:
        """A volume's."""
        return self.layout.volume(UID, plugin, name)


@pytest.fixture
def node(layout: Layout, disk: Disk) -> Node:
    """A node without pods."""
    return Node(layout, disk)


def one(source: str, mount: str = "", rest: str = "") -> str:
    """A spec with one volume, mounted by one container."""
    return f"""{{volumes: [{{name: v, {source}}}]{rest},
        containers: [{{name: main, volumeMounts: [{{name: v, mountPath: /v{mount}}}]}}]}}"""


def on_mounts(node: Node) -> set[Path]:
    """Places of the node where something is mounted."""
    return set(KernelMounter().below(node.layout.pods))


async def test_all_kinds(node: Node, tmp_path: Path) -> None:
    """Each volume is where upstream has it, secrets in memory, and the runtime is told so."""
    pod = pod_of(f"""
        volumes:
        - {{name: settings, configMap: {{name: settings}}}}
        - {{name: keys, secret: {{secretName: keys}}}}
        - {{name: all, projected: {{sources: [{{serviceAccountToken: {{path: token}}}}]}}}}
        - {{name: me, downwardAPI: {{items: [{{path: name, fieldRef: {{fieldPath: metadata.name}}}}]}}}}
        - {{name: scratch, emptyDir: {{}}}}
        - {{name: host, hostPath: {{path: {tmp_path}/host, type: DirectoryOrCreate}}}}
        containers:
        - name: main
          volumeMounts:
          - {{name: settings, mountPath: /settings}}
          - {{name: keys, mountPath: /keys}}
          - {{name: all, mountPath: /all}}
          - {{name: me, mountPath: /me}}
          - {{name: scratch, mountPath: /scratch, readOnly: true, mountPropagation: HostToContainer}}
          - {{name: host, mountPath: /host}}
    """)
    await node.volumes.ensure(pod)
    above = node.layout.pods / UID / "volumes"
    assert await node.volumes.mounts(pod, "main", []) == [
        Mount("/settings", above / "kubernetes.io~configmap/settings", readonly=True),
        Mount("/keys", above / "kubernetes.io~secret/keys", readonly=True),
        Mount("/all", above / "kubernetes.io~projected/all", readonly=True),
        Mount("/me", above / "kubernetes.io~downward-api/me", readonly=True),
        Mount("/scratch", above / "kubernetes.io~empty-dir/scratch", readonly=True, propagation="HostToContainer"),
        Mount("/host", tmp_path / "host"),
    ]
    assert (above / "kubernetes.io~configmap/settings/color").read_text() == "blue"
    assert (above / "kubernetes.io~secret/keys/token").read_bytes() == b"s3cret"
    assert (above / "kubernetes.io~projected/all/token").read_text() == "web///3600@0"
    assert (above / "kubernetes.io~downward-api/me/name").read_text() == "web"
    assert (tmp_path / "host").is_dir()
    assert on_mounts(node) == {above / "kubernetes.io~secret/keys", above / "kubernetes.io~projected/all"}
    assert node.volumes.known() == {UID}
    await node.volumes.remove(UID)
    assert node.volumes.known() == set()
    assert (tmp_path / "host").is_dir()
    assert node.objects.held == {}
    assert node.tokens.forgotten == [UID]


async def test_folders_above_volumes_are_the_kubelets_alone(node: Node) -> None:
    """Others of the node do not reach into volumes that any user in a container may write to."""
    await node.volumes.ensure(pod_of(one("emptyDir: {}")))
    folder = node.folder("empty-dir")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777
    for above in (folder.parent, folder.parent.parent, node.layout.pod(UID), node.layout.pods):
        assert stat.S_IMODE(above.stat().st_mode) & 0o007 == 0
    await node.volumes.remove(UID)


async def test_files_follow_what_they_show(node: Node) -> None:
    """Changed objects, labels and tokens are in the files after the next `ensure`, mounted or not."""
    pod = pod_of("""
        volumes:
        - name: v
          projected:
            sources:
            - configMap: {name: settings}
            - serviceAccountToken: {path: token}
            - downwardAPI: {items: [{path: tier, fieldRef: {fieldPath: "metadata.labels['tier']"}}]}
        containers: [{name: main, volumeMounts: [{name: v, mountPath: /v}]}]
    """)
    await node.volumes.ensure(pod)
    node.objects.put(config_map("settings", size="10"))
    node.tokens.now = 500.0
    pod.metadata.labels["tier"] = "front"
    await node.volumes.ensure(pod)
    folder = node.folder("projected")
    assert not (folder / "color").exists()
    assert (folder / "size").read_text() == "10"
    assert (folder / "token").read_text() == "web///3600@500"
    assert (folder / "tier").read_text() == "front"
    await node.volumes.remove(UID)


async def test_nothing_is_done_when_nothing_changed(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ensure` on every sync of a pod does not go to the disk."""
    pod = pod_of(one("configMap: {name: settings}"))
    await node.volumes.ensure(pod)
    monkeypatch.setattr(node.disk, "set_up", lambda *_: pytest.fail("the disk was touched"))
    await node.volumes.ensure(pod)
    monkeypatch.undo()
    await node.volumes.remove(UID)


async def test_one_that_cannot_be_had_does_not_hold_up_the_others(node: Node) -> None:
    """The message names each volume that is missing and why; the others are there, and it can be tried again."""
    pod = pod_of("""
        volumes:
        - {name: good, configMap: {name: settings}}
        - {name: late, configMap: {name: late}}
        - {name: claim, persistentVolumeClaim: {claimName: c}}
        containers:
        - name: main
          volumeMounts: [{name: good, mountPath: /g}, {name: late, mountPath: /l}, {name: claim, mountPath: /c}]
    """)
    with pytest.raises(VolumeError) as raised:
        await node.volumes.ensure(pod)
    assert 'MountVolume.SetUp failed for volume "late" : configmap "late" not found' in str(raised.value)
    assert 'volume "claim" : persistentVolumeClaim volumes are not supported' in str(raised.value)
    assert (node.folder("configmap", "good") / "color").exists()
    node.objects.put(config_map("late", k="v"))
    with pytest.raises(VolumeError) as raised:
        await node.volumes.ensure(pod)
    assert "late" not in str(raised.value)
    assert (node.folder("configmap", "late") / "k").exists()
    await node.volumes.remove(UID)


async def test_volumes_that_nobody_mounts_need_not_be_there(node: Node) -> None:
    """A pod is not held up by a volume that none of its containers sees."""
    await node.volumes.ensure(pod_of("{volumes: [{name: v, configMap: {name: none}}], containers: [{name: main}]}"))
    assert node.volumes.known() == set()


async def test_files_stay_while_the_server_is_away(node: Node) -> None:
    """A volume is not emptied because nobody answers."""
    pod = pod_of(one("configMap: {name: settings, optional: true}"))
    await node.volumes.ensure(pod)
    node.objects.failures["settings"] = service_unavailable("away")
    with pytest.raises(VolumeError, match="away"):
        await node.volumes.ensure(pod)
    assert (node.folder("configmap") / "color").read_text() == "blue"
    await node.volumes.remove(UID)


async def test_memory_has_a_size(node: Node) -> None:
    """An emptyDir in memory is a file system of its own, as large as its limit."""
    await node.volumes.ensure(pod_of(one("emptyDir: {medium: Memory, sizeLimit: 1Mi}")))
    folder = node.folder("empty-dir")
    assert folder in on_mounts(node)
    space = os.statvfs(folder)
    assert space.f_blocks * space.f_frsize == 1 << 20
    with pytest.raises(OSError, match="No space left"):
        (folder / "file").write_bytes(bytes(2 << 20))
    await node.volumes.remove(UID)
    assert on_mounts(node) == set()


async def test_hugepages_are_refused(node: Node) -> None:
    """A medium that is not supported is named."""
    with pytest.raises(VolumeError, match="medium 'HugePages' is not supported"):
        await node.volumes.ensure(pod_of(one("emptyDir: {medium: HugePages}")))
    await node.volumes.remove(UID)


async def test_volumes_of_a_group(node: Node) -> None:
    """What the pod's group may write to and what it may read, and what is made there becomes the group's."""
    pod = pod_of("""
        securityContext: {fsGroup: 2000}
        volumes: [{name: scratch, emptyDir: {}}, {name: keys, secret: {secretName: keys, defaultMode: 256}}]
        containers:
        - {name: main, volumeMounts: [{name: scratch, mountPath: /s}, {name: keys, mountPath: /k}]}
    """)
    await node.volumes.ensure(pod)
    scratch, key = node.folder("empty-dir", "scratch"), node.folder("secret", "keys") / "token"
    (scratch / "made").touch()
    assert (scratch / "made").stat().st_gid == 2000
    assert (key.stat().st_gid, stat.S_IMODE(key.stat().st_mode)) == (2000, 0o440)
    await node.volumes.remove(UID)


async def test_a_kubelet_that_was_started_anew_takes_over(node: Node) -> None:
    """Nothing is mounted twice, data stays, and files are brought up to date."""
    pod = pod_of("""
        volumes: [{name: scratch, emptyDir: {medium: Memory}}, {name: keys, secret: {secretName: keys}}]
        containers: [{name: main, volumeMounts: [{name: scratch, mountPath: /s}, {name: keys, mountPath: /k}]}]
    """)
    await node.volumes.ensure(pod)
    (node.folder("empty-dir", "scratch") / "data").write_text("kept")
    before = KernelMounter().below(node.layout.pods)
    node.objects.put(secret("keys", token=b"other"))
    again = node.started_anew()
    assert again.known() == {UID}
    await again.ensure(pod)
    assert KernelMounter().below(node.layout.pods) == before
    assert (node.folder("empty-dir", "scratch") / "data").read_text() == "kept"
    assert (node.folder("secret", "keys") / "token").read_bytes() == b"other"
    await node.started_anew().remove(UID)


@pytest.mark.parametrize("mount", [", subPath: color", ', subPathExpr: "$(WHAT)"'])
async def test_parts_of_volumes(node: Node, mount: str) -> None:
    """A container sees a part alone; it stays as it was when the container was made, and the next one sees the next."""
    pod = pod_of(one("configMap: {name: settings}", mount))
    await node.volumes.ensure(pod)
    [seen] = await node.volumes.mounts(pod, "main", [("WHAT", "color")])
    assert seen.host_path == node.layout.sub_path(UID, "v", "main", 0)
    node.objects.put(config_map("settings", color="red"))
    await node.volumes.ensure(pod)
    assert seen.host_path.read_text() == "blue"
    [following] = await node.volumes.mounts(pod, "main", [("WHAT", "color")])
    assert following.host_path.read_text() == "red"
    await node.volumes.remove(UID)


async def test_a_part_that_is_not_there_yet(node: Node) -> None:
    """It is a folder for the container that was made too early, and the file for the next one, once it is there."""
    pod = pod_of(one("configMap: {name: settings}", ", subPath: late"))
    await node.volumes.ensure(pod)
    [seen] = await node.volumes.mounts(pod, "main", [])
    assert seen.host_path.is_dir()
    node.objects.put(config_map("settings", late="now"))
    await node.volumes.ensure(pod)
    assert (node.folder("configmap") / "late").read_text() == "now"
    [seen] = await node.volumes.mounts(pod, "main", [])
    assert seen.host_path.read_text() == "now"
    await node.volumes.remove(UID)


async def test_removal_waits_for_what_is_under_way(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is cancelled while a volume is set up leaves nothing behind."""
    began, goes_on = threading.Event(), threading.Event()
    set_up = node.disk.set_up

    def slowly(pod: Pod, volume: Volume, payload: Payload | None) -> None:
        began.set()
        assert goes_on.wait(10)
        set_up(pod, volume, payload)

    monkeypatch.setattr(node.disk, "set_up", slowly)
    async with asyncio.TaskGroup() as group:
        ensuring = group.create_task(node.volumes.ensure(pod_of(one("emptyDir: {medium: Memory}"))))
        await asyncio.to_thread(began.wait, 10)
        ensuring.cancel()
        removing = group.create_task(node.volumes.remove(UID))
        await asyncio.sleep(0.05)
        assert not removing.done()
        goes_on.set()
    assert node.volumes.known() == set()
    assert on_mounts(node) == set()


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        (', subPathExpr: "$(NONE)"', "subPathExpr names NONE, which is not set"),
        (', subPathExpr: "$(UP)"', "must not contain '..'"),
        (", subPath: /etc", "want a path within the volume"),
        (", recursiveReadOnly: Enabled", "recursiveReadOnly Enabled is not supported"),
    ],
)
async def test_mounts_that_cannot_be(node: Node, mount: str, message: str) -> None:
    """Each says what was wrong with it."""
    pod = pod_of(one("emptyDir: {}", mount))
    await node.volumes.ensure(pod)
    with pytest.raises(VolumeError) as raised:
        await node.volumes.mounts(pod, "main", [("UP", "../x")])
    assert message in str(raised.value)
    await node.volumes.remove(UID)


async def test_data_of_the_host_survives_the_pod(node: Node, tmp_path: Path) -> None:
    """A part of a hostPath is bound into the pod's folder, which is removed: the host's files are not."""
    (tmp_path / "host/data").mkdir(parents=True)
    (tmp_path / "host/data/file").write_text("mine")
    pod = pod_of(one(f"hostPath: {{path: {tmp_path}/host}}", ", subPath: data"))
    await node.volumes.ensure(pod)
    [seen] = await node.volumes.mounts(pod, "main", [])
    assert (seen.host_path / "file").read_text() == "mine"
    await node.started_anew().remove(UID)
    assert (tmp_path / "host/data/file").read_text() == "mine"
    assert not node.layout.pod(UID).exists()


async def test_what_a_container_mounted_in_its_volume_is_ended(node: Node, mounter: KernelMounter) -> None:
    """Mounts in mounts, as privileged containers make them, are ended the last first."""
    pod = pod_of(one("emptyDir: {}"))
    await node.volumes.ensure(pod)
    inner = node.folder("empty-dir") / "a b\tc"
    inner.mkdir()
    mounter.mount_tmpfs(inner, "mode=0755")
    (inner / "deeper").mkdir()
    mounter.mount_tmpfs(inner / "deeper", "mode=0755")
    await node.volumes.remove(UID)
    assert node.volumes.known() == set()
    assert on_mounts(node) == set()


async def test_a_volume_in_use_is_removed(node: Node) -> None:
    """What still has a file of it open keeps the file system until it is done, and does not hold up the pod's end."""
    await node.volumes.ensure(pod_of(one("emptyDir: {medium: Memory}")))
    with (node.folder("empty-dir") / "file").open("w"):
        await node.volumes.remove(UID)
    assert node.volumes.known() == set()
    await node.volumes.remove(UID)


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("Directory", "folder"),
        ("DirectoryOrCreate", "folder"),
        ("DirectoryOrCreate", "none"),
        ("File", "file"),
        ("FileOrCreate", "file"),
        ("FileOrCreate", "none"),
        ("Socket", "socket"),
        ("CharDevice", "device"),
        ("", "none"),
        ("", "file"),
    ],
)
async def test_host_paths_that_are_as_they_should_be(node: Node, tmp_path: Path, kind: str, made: str) -> None:
    """What should be there is, or is made."""
    path = host_path(tmp_path, made)
    await node.volumes.ensure(pod_of(one(f'hostPath: {{path: {path}, type: "{kind}"}}')))
    assert kind == "" or path.exists()


@pytest.mark.parametrize(
    ("kind", "made", "message"),
    [
        ("Directory", "file", "is not a directory"),
        ("DirectoryOrCreate", "file", "is not a directory"),
        ("File", "folder", "is not a file"),
        ("FileOrCreate", "folder", "is not a file"),
        ("Socket", "file", "is not a socket"),
        ("CharDevice", "file", "is not a character device"),
        ("BlockDevice", "device", "is not a block device"),
        ("Directory", "none", "No such file or directory"),
        ("Folder", "folder", "hostPath type 'Folder' is not known"),
    ],
)
async def test_host_paths_that_are_not(node: Node, tmp_path: Path, kind: str, made: str, message: str) -> None:
    """The message says which path is not what."""
    path = host_path(tmp_path, made)
    with pytest.raises(VolumeError) as raised:
        await node.volumes.ensure(pod_of(one(f"hostPath: {{path: {path}, type: {kind}}}")))
    assert message in str(raised.value)


def host_path(folder: Path, made: str) -> Path:
    """Something of the host."""
    path = folder / "on-host"
    match made:
        case "folder":
            path.mkdir()
        case "file":
            path.touch()
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        case "device":
            return Path("/dev/null")
    return path


@pytest.mark.parametrize("uid", ["", "..", "a/b", "../../etc"])
async def test_no_uid_leads_elsewhere(node: Node, uid: str) -> None:
    """A uid that is none is refused before anything is removed."""
    with pytest.raises(ValueError, match="is no uid of a pod"):
        await node.volumes.remove(uid)

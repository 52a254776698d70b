"""Mounts as the kernel lists them."""

from kubewire.cluster.nodes.kernel_state import Mount, parse_mounts

TABLE = r"""
21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 21 0:25 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw
99 21 0:40 / /home/a\040b/nodes/one\134x/shm rw - tmpfs shm rw
""".strip()


def test_mounts() -> None:
    """Paths and kinds are read with any number of optional fields, and blanks in paths are restored."""
    assert parse_mounts(TABLE) == [
        Mount("/", "ext4"),
        Mount("/sys/fs/cgroup", "cgroup2"),
        Mount("/home/a b/nodes/one\\x/shm", "tmpfs"),
    ]

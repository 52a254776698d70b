"""Commands in running containers, as kubectl runs them."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from tests.e2e.streams.pods_user import PodsUser, Terminal, eventually

MEGABYTE = 1 << 20


def test_output_errors_and_exit_codes_come_back(user: PodsUser) -> None:
    """Both streams are told apart, and kubectl ends as the command did."""
    done = user.run("exec", "shell", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert done.stdout == b"out\n"
    assert done.stderr == b"err\ncommand terminated with exit code 3\n"
    assert done.returncode == 3


def test_input_of_any_size_arrives_and_ends(user: PodsUser) -> None:
    """`cat < file` gives back the same bytes and ends, which needs input that ends before output does."""
    data = os.urandom(50 * MEGABYTE)
    done = user.run("exec", "-i", "shell", "--", "cat", data=data)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    assert user.ok("exec", "-i", "shell", "--", "wc", "-c", data=data[: 5 * MEGABYTE]) == f"{5 * MEGABYTE}\n"


def test_a_command_that_does_not_read_ends_all_the_same(user: PodsUser) -> None:
    """Input that nobody takes hides neither the exit code nor why a command cannot be run."""
    data = bytes(20 * MEGABYTE)
    assert user.run("exec", "-i", "shell", "--", "sh", "-c", "sleep 0.5; exit 4", data=data).returncode == 4
    assert "executable file not found" in user.fails("exec", "-i", "shell", "--", "nothing", data=data)


def test_a_terminal_has_the_size_of_the_persons(user: PodsUser) -> None:
    """The size at the beginning, and each one after that; the exit code is the shell's."""
    terminal = Terminal(user, "exec", "-it", "shell", "--", "sh", rows=33, columns=77)
    terminal.type_until("stty size\n", "33 77")
    terminal.resize(44, 88)
    terminal.type_until("stty size\n", "44 88")
    terminal.type("exit 5\n")
    assert terminal.end() == 5


def test_a_client_that_leaves_takes_the_command_along(user: PodsUser) -> None:
    """Nothing runs on in a container after the kubectl that started it was killed."""
    with user.running("exec", "shell", "--", "sleep", "8765"):
        eventually(lambda: user.sees("shell", "sleep 8765"), "the command runs")
    eventually(lambda: not user.sees("shell", "sleep 8765"), "the command is gone")
    eventually(lambda: not list((user.kubelet.root / "streams").iterdir()), "no pipe is left")


def test_a_client_that_does_not_read_slows_the_command(user: PodsUser) -> None:
    """Output is kept nowhere: neither server grows while it waits."""
    before = _megabytes(user)
    with user.running("exec", "shell", "--", "cat", "/dev/zero") as stuck:
        assert stuck.stdout is not None
        assert stuck.stdout.read(1000) == bytes(1000)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            assert _megabytes(user) < before + 60
            time.sleep(0.2)


def test_files_can_be_copied(user: PodsUser, tmp_path: Path) -> None:
    """`kubectl cp` both ways, which is tar over exec."""
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(MEGABYTE))
    user.ok("cp", str(there), "shell:/tmp/file")
    user.ok("cp", "shell:/tmp/file", str(back))
    assert back.read_bytes() == there.read_bytes()


def test_a_runtime_that_restarts_does_not_end_commands(user: PodsUser) -> None:
    """Streams do not pass through the runtime's daemon, and the exit code is asked for again."""
    with user.running("exec", "-i", "shell", "--", "sh", "-c", "echo go; read x; echo $x; exit 6") as command:
        assert command.stdin is not None
        assert command.stdout is not None
        assert command.stdout.read(3) == b"go\n"
        user.node.kill()
        user.node.start()
        command.stdin.write(b"still here\n")
        assert command.stdout.read(11) == b"still here\n"
        assert command.wait(30) == 6


def test_a_kubelet_that_was_killed_leaves_nothing_behind(user: PodsUser) -> None:
    """Its successor ends what it had started, and removes the pipes."""
    with user.running("exec", "shell", "--", "sleep", "4321"):
        eventually(lambda: user.sees("shell", "sleep 4321"), "the command runs")
        user.kubelet.kill()
        user.kubelet.start()
    eventually(lambda: user.run("exec", "shell", "--", "true").returncode == 0, "the node can be reached again")
    assert not user.sees("shell", "sleep 4321")
    eventually(lambda: not list((user.kubelet.root / "streams").iterdir()), "no pipe is left")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing", "--", "ls"), 'pods "nothing" not found'),
        (("shell", "-c", "other", "--", "ls"), "container other is not valid for pod shell"),
        (("shell", "--", "nothing"), '"nothing": executable file not found in $PATH'),
    ],
    ids=["pod", "container", "command"],
)
def test_what_is_not_there_is_named(user: PodsUser, arguments: tuple[str, ...], words: str) -> None:
    """Kubernetes' words, whoever found out."""
    assert words in user.fails("exec", *arguments)


def _megabytes(user: PodsUser) -> float:
    """Memory of API server and kubelet together."""
    assert user.apiserver.process is not None
    assert user.kubelet.process is not None
    pids = (user.apiserver.process.pid, user.kubelet.process.pid)
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGESIZE") / MEGABYTE

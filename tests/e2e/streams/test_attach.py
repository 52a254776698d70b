"""The process a container runs, as kubectl attaches to it."""

from tests.e2e.streams.pods_user import PodsUser, Terminal


def test_input_reaches_the_process_and_ends(user: PodsUser) -> None:
    """A container made for one input reads it to its end, and its last words arrive."""
    more = ', "stdin": true, "stdinOnce": true'
    user.start_ready("reading", "sh", "-c", "cat; sleep 0.2; echo done", container=more, spec=_NEVER)
    assert user.ok("attach", "-i", "reading", data=b"hello\n").endswith("hello\ndone\n")


def test_a_terminal_is_shared(user: PodsUser) -> None:
    """A shell that is the container's own process, with the size of the person's terminal."""
    user.start_ready("typing", "sh", container=', "stdin": true, "tty": true')
    terminal = Terminal(user, "attach", "-it", "typing", rows=33, columns=77)
    terminal.type_until("stty size\n", "33 77")
    terminal.type("exit\n")
    assert terminal.end() == 0


def test_output_is_seen_from_now_on(user: PodsUser) -> None:
    """Without input, attaching is watching."""
    with user.running("attach", "shell") as watching:
        assert watching.stdout is not None
        assert watching.stdout.read(5) == b"line "


_NEVER = ', "restartPolicy": "Never"'

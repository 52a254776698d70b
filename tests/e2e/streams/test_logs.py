"""What containers wrote, as kubectl shows it."""

import re

from tests.e2e.streams.pods_user import PodsUser, eventually


def test_lines_are_shown_from_the_first(user: PodsUser) -> None:
    """Nothing is added and nothing left out."""
    eventually(lambda: "line 3\n" in user.ok("logs", "shell"), "three lines are written")
    assert user.ok("logs", "shell").startswith("line 1\nline 2\nline 3\n")


def test_the_last_lines_of_a_long_log(user: PodsUser) -> None:
    """A count of lines, a count of bytes, a time, and timestamps."""
    user.start("counting", "sh", "-c", "seq 1 100000; sleep 3600")
    eventually(lambda: user.run("logs", "counting", "--tail=1").stdout == b"100000\n", "all lines are written")
    assert user.ok("logs", "counting", "--tail=3") == "99998\n99999\n100000\n"
    assert user.ok("logs", "counting", "--tail=0") == ""
    assert user.ok("logs", "counting", "--limit-bytes=7") == "1\n2\n3\n4"
    assert user.ok("logs", "counting") == "".join(f"{number}\n" for number in range(1, 100001))
    assert user.ok("logs", "counting", "--since=1h", "--tail=1") == "100000\n"
    assert user.ok("logs", "counting", "--since-time=2099-01-01T00:00:00Z") == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z 100000\n", user.ok("logs", "counting", "--timestamps", "--tail=1"))


def test_following_shows_lines_at_once_and_ends_with_the_container(user: PodsUser) -> None:
    """Lines come while the container runs, and kubectl ends when it does, with all it wrote."""
    user.start("ending", "sh", "-c", "echo one; while ! test -e /end; do sleep 0.1; done; echo two", spec=_NEVER)
    eventually(lambda: user.run("logs", "ending").stdout == b"one\n", "the first line is written")
    with user.running("logs", "-f", "ending") as following:
        assert following.stdout is not None
        assert following.stdout.read(4) == b"one\n"
        user.ok("exec", "ending", "--", "touch", "/end")
        assert following.stdout.read(4) == b"two\n"
        assert following.wait(30) == 0


def test_the_container_before_can_be_asked_after(user: PodsUser) -> None:
    """After a crash, `--previous` shows what the one before wrote; without one there is none."""
    user.start("crashing", "sh", "-c", "echo I crash; exit 1")
    eventually(lambda: user.run("logs", "crashing", "--previous").returncode == 0, "it has crashed twice")
    assert user.ok("logs", "crashing", "--previous") == "I crash\n"
    words = 'previous terminated container "app" in pod "shell" not found'
    assert words in user.fails("logs", "shell", "--previous")


def test_a_container_that_waits_says_why(user: PodsUser) -> None:
    """A bad request, with what it waits for."""
    user.start("waiting", "sh", container=', "imagePullPolicy": "Never", "image": "localhost/nothing:1"')
    words = 'container "app" in pod "waiting" is waiting to start'
    eventually(lambda: words in user.fails("logs", "waiting"), "it waits")


def test_one_of_several_containers_has_to_be_named(user: PodsUser) -> None:
    """kubectl itself takes the first; whoever asks the API is told which there are."""
    second = ', "initContainers": [{"name": "setup", "image": "localhost/kubewire/demo:1", "command": ["echo", "set"]}]'
    user.start("several", "sleep", "3600", spec=second)
    eventually(lambda: user.run("logs", "several", "-c", "setup").stdout == b"set\n", "the init container ran")
    assert "container x is not valid for pod several" in user.fails("logs", "several", "-c", "x")


def test_options_that_make_no_sense_are_refused(user: PodsUser) -> None:
    """As invalid, naming the field."""
    path = "/api/v1/namespaces/default/pods/shell/log"
    assert "limitBytes: Invalid value: 0" in user.fails("get", "--raw", f"{path}?limitBytes=0")
    assert "want a time such as" in user.fails("get", "--raw", f"{path}?sinceTime=soon")


def test_a_pod_without_a_node_has_an_empty_log(user: PodsUser) -> None:
    """It is no error to ask before the scheduler has decided."""
    user.ok("run", "unbound", "--image=x")
    assert user.ok("logs", "unbound") == ""


_NEVER = ', "restartPolicy": "Never"'

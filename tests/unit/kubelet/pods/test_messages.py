"""What containers leave to say of their end."""

import os
from pathlib import Path

from kubewire.kubelet.pods.messages import log_end, with_message
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Container, Phase


def ended(message: Path, log: Path, policy: str = "File", code: int = 1) -> Container:
    """A container that has ended."""
    annotations = {labels.MESSAGE_FILE: str(message), labels.LOG_FILE: str(log), labels.MESSAGE_POLICY: policy}
    return Container("c", "s", "app", 0, Phase.EXITED, exit_code=code, annotations=annotations)


def test_the_end_of_the_file_is_the_message(tmp_path: Path) -> None:
    """At most 4 KiB of it."""
    file = tmp_path / "message"
    file.write_text("x" * 5000 + "end")
    found = with_message(ended(file, tmp_path / "none")).message
    assert (len(found), found[-3:]) == (4096, "end")


def test_the_log_stands_in_for_an_empty_message_after_a_failure(tmp_path: Path) -> None:
    """Only where that is asked for, and only after a failure."""
    empty, log = tmp_path / "message", tmp_path / "0.log"
    empty.touch()
    log.write_text("2026-01-01T00:00:00Z stdout F first\n2026-01-01T00:00:01Z stderr F last words\n")
    assert with_message(ended(empty, log)).message == ""
    assert with_message(ended(empty, log, "FallbackToLogsOnError", 0)).message == ""
    assert with_message(ended(empty, log, "FallbackToLogsOnError")).message == "first\nlast words"


def test_whatever_stands_in_the_files_place_does_no_harm(tmp_path: Path) -> None:
    """Nothing, a folder, a pipe, a link to somewhere else: no message, and nobody waits."""
    secret, link, pipe = tmp_path / "secret", tmp_path / "link", tmp_path / "pipe"
    secret.write_text("not for you")
    link.symlink_to(secret)
    os.mkfifo(pipe)
    for place in (tmp_path / "nothing", tmp_path, link, pipe):
        assert with_message(ended(place, tmp_path / "none")).message == ""


def test_who_runs_has_left_nothing_yet(tmp_path: Path) -> None:
    """The message is read when it has ended."""
    file = tmp_path / "message"
    file.write_text("soon")
    running = Container("c", "s", "app", 0, Phase.RUNNING, annotations={labels.MESSAGE_FILE: str(file)})
    assert with_message(running) is running


def test_only_the_last_lines_of_a_log_are_taken() -> None:
    """80 lines, 2 KiB."""
    lines = [f"2026-01-01T00:00:00Z stdout F line {number}" for number in range(200)]
    found = log_end("\n".join(lines)).splitlines()
    assert (len(found), found[0], found[-1]) == (80, "line 120", "line 199")
    assert len(log_end("t stdout F " + "x" * 5000)) == 2048

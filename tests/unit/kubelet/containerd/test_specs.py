"""Specifications of processes in containers."""

import orjson

from kubewire.kubelet.containerd.specs import command_spec, process_of

PROCESS = {
    "terminal": True,
    "consoleSize": {"height": 1, "width": 2},
    "user": {"uid": 7, "gid": 8, "additionalGids": [9]},
    "args": ["server"],
    "env": ["PATH=/bin", "NAME=web"],
    "cwd": "/srv",
    "capabilities": {"bounding": ["CAP_CHOWN"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 10, "soft": 10}],
}


def test_a_command_is_run_as_the_container_is() -> None:
    """User, environment, folder, capabilities and limits are the container's; only the words differ."""
    spec = orjson.loads(command_spec(PROCESS, ["ls", "-l"], terminal=False))
    expected = {**PROCESS, "args": ["ls", "-l"], "terminal": False}
    del expected["consoleSize"]
    assert spec == expected


def test_a_terminal_has_a_type() -> None:
    """Programs find out what a terminal can do by TERM, unless the container says it."""
    assert orjson.loads(command_spec(PROCESS, ["sh"], terminal=True))["env"] == ["PATH=/bin", "NAME=web", "TERM=xterm"]
    own = {**PROCESS, "env": ["TERM=vt100"]}
    assert orjson.loads(command_spec(own, ["sh"], terminal=True))["env"] == ["TERM=vt100"]
    assert orjson.loads(command_spec({"args": []}, ["sh"], terminal=True))["env"] == ["TERM=xterm"]


def test_the_process_is_a_part_of_the_container() -> None:
    """The rest of a container's specification is not looked at."""
    assert process_of(orjson.dumps({"process": PROCESS, "root": {}})) == PROCESS

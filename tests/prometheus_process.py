"""A real Prometheus of a test's own: on a free port, with its data and its log in the folder the test gives it."""

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.etcd_process import find_free_port

START_SECONDS: Final = 30.0
_QUESTION_SECONDS: Final = 10.0


@dataclass
class PrometheusProcess:
    """Scrapes what its configuration names, and answers questions about it."""

    folder: Path
    port: int = field(default_factory=find_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it says, a JSON object a line; failed scrapes are told at level debug."""
        return self.folder / "prometheus.log"

    def start(self, configuration: dict[str, Any]) -> None:
        """Start; returns when it answers."""
        written = self.folder / "prometheus.json"
        written.write_text(json.dumps(configuration))
        command = [
            _binary(),
            f"--config.file={written}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.format=json",
            "--log.level=debug",
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        self._wait_until_ready(self.process)

    def stop(self) -> None:
        """Ask it to end, and wait until it did."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(START_SECONDS)
            self.process = None

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The series an expression has at this moment: labels and value."""
        found = self._get("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def holds(self, condition: str) -> bool:
        """Whether there are series for which a condition holds."""
        return bool(self.query(condition))

    def own_numbers(self) -> dict[str, float]:
        """Its own metrics that have no labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=_QUESTION_SECONDS) as answer:
            text = answer.read().decode()
        return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes, as it tells it: `scrapePool`, `scrapeUrl`, `health` (up, down, unknown), `lastError`."""
        found: list[dict[str, Any]] = self._get("targets", state="active")["activeTargets"]
        return found

    def said(self) -> list[dict[str, str]]:
        """Its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def _get(self, what: str, **arguments: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=_QUESTION_SECONDS) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
        return data

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            code = process.poll()
            if code is not None or time.monotonic() > deadline:
                log = self.log.read_text(errors="replace")
                pytest.fail(f"Prometheus did not become ready (exit code {code}):\n{log[-2000:]}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def _binary() -> str:
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.fail("this test needs Prometheus on PATH (Debian: prometheus)")
    return binary


@contextmanager
def running_prometheus(folder: Path, configuration: dict[str, Any]) -> Iterator[PrometheusProcess]:
    """A Prometheus that is ended when the block is left, however it is left."""
    folder.mkdir(parents=True, exist_ok=True)
    made = PrometheusProcess(folder)
    try:
        made.start(configuration)
        yield made
    finally:
        made.stop()

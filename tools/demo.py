"""The main job, end to end: a ReplicaSet in real containers behind a Service. `make demo` runs it, again and again.

Everything is done as people do it, with kubewire and kubectl; each step does nothing where its work is done already.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
REPLICAS = 3
SECONDS_AT_MOST = 120
FETCHES_A_ROUND = 12
BIN = Path(sys.executable).parent


def main() -> None:
    """Exit code 0 when every replica has answered."""
    options = _options()
    begun = time.monotonic()
    cluster = json.loads(_run("kubewire", "up", *options.up, "-o", "json"))
    if cluster["runtime"] != "containerd":
        _say("nodes are simulated: nothing runs, so there is no page to fetch; see above for why")
    kubectl = ("kubectl", "--kubeconfig", cluster["kubeconfig"])
    _run(*kubectl, "apply", "-f", str(EXAMPLES / "replicaset.yaml"), "-f", str(EXAMPLES / "service.yaml"))
    _await_ready(kubectl)
    if cluster["runtime"] == "containerd":
        _fetch(_run(*kubectl, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}", quiet=True))
    _say("what each hop did, and when")
    sys.stdout.write(_run("kubewire", "trace", "web", quiet=True))
    _say(f"done in {time.monotonic() - begun:.1f} s; `make down` ends the cluster")


def _await_ready(kubectl: Sequence[str]) -> None:
    """Wait until all replicas are Ready, telling what changes meanwhile."""
    said = ""
    deadline = time.monotonic() + SECONDS_AT_MOST
    while True:
        status = json.loads(_run(*kubectl, "get", "replicaset", "web", "-o", "json", quiet=True))["status"]
        ready = status.get("readyReplicas", 0)
        told = f"{status.get('replicas', 0)} of {REPLICAS} pods created, {ready} Ready"
        if told != said:
            _say(told)
            said = told
        if ready == REPLICAS:
            return
        if time.monotonic() > deadline:
            sys.stdout.write(_run(*kubectl, "describe", "pods", "-l", "app=web", quiet=True))
            sys.exit(f"the replicas are not Ready after {SECONDS_AT_MOST} s")
        time.sleep(0.2)


def _fetch(address: str) -> None:
    """Fetch the page from a node, through the Service, until every replica has answered.

    Pods of a cluster that was started again just now may be told Ready by what was known of them before.
    """
    _say(f"$ kubewire enter busybox wget -qO- http://{address}/    # again and again, on node-1")
    fetch = f"timeout 5 busybox wget -qO- http://{address}/ 2>/dev/null || sleep 0.2"
    script = f"for number in $(seq {FETCHES_A_ROUND}); do {fetch}; done"
    answers: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS_AT_MOST
    while len(answers) < REPLICAS and time.monotonic() < deadline:
        answers.update(_run("kubewire", "enter", "sh", "-c", script, quiet=True).splitlines())
    for page, times in sorted(answers.items()):
        _say(f"{times:3} x {page}")
    if len(answers) < REPLICAS:
        sys.exit(f"{len(answers)} of {REPLICAS} replicas answered in {SECONDS_AT_MOST} s")


def _run(program: str, *arguments: str, quiet: bool = False) -> str:
    """What a command answers; it must succeed."""
    if not quiet:
        _say("$ " + shlex.join((program, *arguments)))
    found = BIN / program
    command = [found if found.exists() else program, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{program} ended with code {done.returncode}")
    if not quiet and program == "kubectl":
        sys.stdout.write(done.stdout)
    return done.stdout


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("up", nargs="*", help="options of `kubewire up`, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()

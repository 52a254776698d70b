"""The command line: `kubewire up`, `down`, `status`, `stop`, `start`, `kubeconfig`, `token`, `convert` and others.

Exit codes: 0 done, 1 it could not be done (the reason is on standard error), 2 the command line is wrong, 3 the
cluster does not run (`status`, `kubeconfig`, `token`), 4 it runs but is not ready (`status`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO, TypedDict, Unpack

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubewire.cluster.home import Home

EXIT_NOT_RUNNING = 3
EXIT_NOT_READY = 4


class _Asked(TypedDict):
    """Options of `up` that say what the cluster is to be."""

    runtime: str | None
    processes: str | None
    nodes: int | None
    secure_port: int | None
    grpc_port: int | None
    insecure_grpc: bool
    egress: bool


class Failure(click.ClickException):
    """An expected failure, shown without a trace."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares a class variable and reads the instance

    def show(self, file: object = None) -> None:  # noqa: ARG002  # click's signature
        """`error:` and the reason, on standard error; red on a terminal."""
        click.echo(f"{click.style('error:', fg='red', bold=True)} {self.message}", err=True)


def _home(name: str) -> Home:
    from kubewire.cluster.errors import ClusterError
    from kubewire.cluster.home import locate

    try:
        return locate(name)
    except ClusterError as error:
        raise Failure(str(error), exit_code=2) from None


_name = click.option("--name", default="default", show_default=True, help="Which cluster; several can run at a time.")
_output = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kubewire", prog_name="kubewire")
def main() -> None:
    """Kubernetes-compatible clusters whose components are gRPC services.

    A cluster's kubeconfig, certificates and logs are in $KUBEWIRE_HOME (default ~/.kubewire/NAME).
    """


@main.command()
@_name
@click.option("--nodes", type=click.IntRange(min=0), help="How many nodes. [default: 1]")
@click.option(
    "--runtime",
    type=click.Choice(["containerd", "simulated", "none"]),
    help="What runs pods. 'simulated': they go through their life cycle and nothing runs; 'none': no nodes. "
    "[default: containerd as root where it is installed, else simulated]",
)
@click.option(
    "--processes",
    type=click.Choice(["together", "apart"]),
    help="'together': one process for the control plane and one for each node's agents; 'apart': every component "
    "its own, which `kubewire stop` can end alone. [default: together]",
)
@click.option(
    "--secure-port", type=click.IntRange(0, 65535), help="REST over TLS. [default: 6443, or any free one; 0: any]"
)
@click.option(
    "--grpc-port", type=click.IntRange(0, 65535), help="gRPC over TLS. [default: 6444, or any free one; 0: any]"
)
@click.option(
    "--insecure-grpc", is_flag=True, help="Also serve gRPC without TLS on loopback; the token is still required."
)
@click.option(
    "--egress/--no-egress",
    default=True,
    show_default=True,
    help="Let containers reach the world outside, which takes one table of rules on this machine until `down`.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="Seconds to wait until ready.",
)
@_output
def up(name: str, wait_seconds: float, output: str, **asked: Unpack[_Asked]) -> None:
    """Start a cluster, repair one of which parts are gone, or say how to reach one that runs."""
    from kubewire.cli.answers import connection, show
    from kubewire.cluster.errors import ClusterError
    from kubewire.cluster.settings import Asked
    from kubewire.cluster.up import UpOptions
    from kubewire.cluster.up import up as start

    home = _home(name)
    try:
        state = start(home, UpOptions(Asked(**asked), wait_seconds), progress)
    except ClusterError as error:
        raise Failure(str(error)) from None
    show(connection(home, state), output)


@main.command()
@_name
@click.option("--purge", is_flag=True, help="Remove the cluster's folder too, with all its objects.")
def down(name: str, *, purge: bool) -> None:
    """End a cluster. Without --purge its objects are kept for the next `up`."""
    from kubewire.cluster.down import down as end
    from kubewire.cluster.errors import ClusterError

    home = _home(name)
    try:
        ended = end(home, progress, purge=purge)
    except ClusterError as error:
        raise Failure(str(error)) from None
    click.echo(f"cluster {name!r} ended" if ended else f"cluster {name!r} did not run")


@main.command()
@_name
@_output
def status(name: str, output: str) -> None:
    """Say whether a cluster is ready, where it listens, and for each process whether it runs and where its log is."""
    from kubewire.cli.answers import health, show
    from kubewire.cluster.errors import NotRunning
    from kubewire.cluster.inspection import inspect

    home = _home(name)
    try:
        found = inspect(home)
    except NotRunning as error:
        raise Failure(str(error), EXIT_NOT_RUNNING) from None
    show(health(home, found), output)
    if not found.is_ready:
        sys.exit(EXIT_NOT_READY)


_node = click.option("--node", help="On this node alone. [default: on all]")


@main.command("stop")
@_name
@_node
@click.argument("component")
def stop_component(name: str, component: str, node: str | None) -> None:
    """End one component and keep it ended, to see what the others do without it: `kubewire stop scheduler`."""
    from kubewire.cluster.control import stop

    _control(name, lambda home: stop(home, component, node), "stopped")


@main.command("start")
@_name
@_node
@click.argument("component")
def start_component(name: str, component: str, node: str | None) -> None:
    """Start a component that was stopped."""
    from kubewire.cluster.control import start

    _control(name, lambda home: start(home, component, node), "started")


def _control(name: str, act: Callable[[Home], list[str]], done: str) -> None:
    from kubewire.cluster.errors import ClusterError, NotRunning

    home = _home(name)
    try:
        names = act(home)
    except NotRunning as error:
        raise Failure(str(error), EXIT_NOT_RUNNING) from None
    except ClusterError as error:
        raise Failure(str(error)) from None
    for one in names:
        click.echo(f"{one} {done}")


@main.command()
@_name
@click.option("--path", "path_only", is_flag=True, help="Print where the file is instead of what is in it.")
def kubeconfig(name: str, *, path_only: bool) -> None:
    """Print the admin's kubeconfig: `kubewire kubeconfig > ~/.kube/config`."""
    home = _home(name)
    _require_running(home)
    click.echo(str(home.kubeconfig) if path_only else home.kubeconfig.read_text().rstrip())


@main.command()
@_name
def token(name: str) -> None:
    """Print the admin's bearer token, for `grpcurl -H "Authorization: Bearer $(kubewire token)"`."""
    home = _home(name)
    _require_running(home)
    click.echo(home.token.read_text().strip())


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_name
@click.option("--node", default="node-1", show_default=True, help="Whose network.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def enter(name: str, node: str, command: tuple[str, ...]) -> None:
    """Run a command as on a node: in its network, where Services and pods are reached.

    `kubewire enter busybox wget -qO- http://CLUSTER-IP/`, `kubewire enter grpcurl -plaintext 127.0.0.1:10356 list`.
    """
    import os

    from kubewire.cluster.errors import ClusterError
    from kubewire.cluster.machines import entering

    home = _home(name)
    _require_running(home)
    try:
        words = [*entering(home, node), *command]
        os.execvp(words[0], words)  # noqa: S606  # it takes our place: signals, terminal and exit code are its own
    except ClusterError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None


@main.command()
@_name
@click.option("-n", "--namespace", default="default", show_default=True)
@click.argument("replicaset")
def trace(name: str, namespace: str, replicaset: str) -> None:
    """Print what became of a ReplicaSet: which component did what, and when.

    The API server remembers recent writes, some minutes of history; of what is older only whole seconds are known.
    """
    from kubewire.cli.tracing.report import trace as traced
    from kubewire.cluster.state import running
    from kubewire.machinery.errors import StatusError

    home = _home(name)
    _require_running(home)
    try:
        for line in traced(home, running(home), namespace, replicaset.removeprefix("replicaset/")):
            click.echo(line)
    except StatusError as error:
        raise Failure(str(error)) from None


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script: `source <(kubewire completion bash)`."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise Failure(f"no completion for {shell}")
    click.echo(found(main, {}, "kubewire", "_KUBEWIRE_COMPLETE").source())


@main.command()
@click.option("-f", "--filename", type=click.File("rb"), required=True, help="The manifest; '-' reads standard input.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["grpc", "grpc-create", "json", "yaml", "protobuf"]),
    default="grpc",
    show_default=True,
    help="grpc: protobuf's JSON form; grpc-create: that, as a request of the kind's Create method.",
)
def convert(filename: BinaryIO, output: str) -> None:
    """Write a manifest in another form; unknown fields are errors.

    For grpcurl: `kubewire convert -f rs.yaml -o grpc-create | grpcurl -d @ ADDRESS SERVICE/CreateReplicaSet`.
    """
    from kubewire.cli.convert import Unconvertible
    from kubewire.cli.convert import convert as converted

    try:
        click.echo(converted(filename.read(), output), nl=False)
    except Unconvertible as error:
        raise Failure(f"{filename.name}: {error}") from None


@main.command()
@_output
def version(output: str) -> None:
    """Print the versions of Kubewire and of the API it serves."""
    from kubewire.cli.answers import show, versions

    show(versions(), output)


def progress(text: str) -> None:
    """One step of long work, on standard error so that answers can be piped."""
    click.echo(f"{click.style('·', fg='cyan')} {text}", err=True)


def _require_running(home: Home) -> None:
    from kubewire.cluster.errors import NotRunning
    from kubewire.cluster.state import running

    try:
        running(home)
    except NotRunning as error:
        raise Failure(str(error), EXIT_NOT_RUNNING) from None

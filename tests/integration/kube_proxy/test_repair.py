"""What others do to our table is found and put right, and only what was harmed is touched."""

import tempfile
from collections.abc import Iterator

import pytest

from kubewire.kube_proxy.backends.nftables.backend import NftablesBackend
from kubewire.kube_proxy.backends.nftables.kernel import Kernel
from kubewire.kube_proxy.backends.nftables.layout import Options
from kubewire.kube_proxy.desired.difference import Difference, difference
from kubewire.kube_proxy.errors import BackendFailed
from tests.kube_proxy_tables import rules
from tests.network_namespaces import NetworkNamespace

WANTED = rules("""
    TCP 10.96.0.1:80 -> 10.244.0.1:8080* 10.244.1.1:8080 outside
    TCP 10.96.0.2:80 -> 10.244.0.1:8080* outside affinity=100
    TCP 10.96.0.3:80 reject
    UDP *:30080 -> 10.244.0.1:8080* 10.244.1.1:8080 always
""")
TABLE = "ip kubewire"
HARMS = (
    f"delete table {TABLE}",
    f"flush table {TABLE}",
    f"flush chain {TABLE} services",
    f"flush chain {TABLE} service-any-outside-2",
    f"add rule {TABLE} nat-prerouting accept",
    f"insert rule {TABLE} services drop",
    f"add chain {TABLE} mine; add rule {TABLE} mine accept",
    f"add chain {TABLE} one; add chain {TABLE} two; add rule {TABLE} one jump two",
    f"flush map {TABLE} services",
    f"flush map {TABLE} endpoints",
    f"flush set {TABLE} hairpins",
    f"flush set {TABLE} cluster-ips",
    f"add element {TABLE} cluster-ips {{ 10.96.0.99 }}",
    f"add element {TABLE} services {{ 10.96.0.9 . tcp . 80 : goto service-any-outside-2 }}",
    f"add element {TABLE} no-endpoints {{ 10.96.0.9 . tcp . 80 : accept }}",
    f"delete element {TABLE} endpoints {{ 10.96.0.1 . tcp . 80 . 0x00000001 }}",
    f"add element {TABLE} endpoints {{ 10.96.0.1 . tcp . 80 . 0x00000007 : 10.244.9.9 . 80 }}",
)
OTHERS = "table ip others {\n\tchain mine {\n\t\taccept\n\t}\n}\n"


@pytest.fixture
def namespace() -> Iterator[NetworkNamespace]:
    """A node's, with a table that is none of ours."""
    with NetworkNamespace("node") as made:
        made.run("nft", "add table ip others; add chain ip others mine; add rule ip others mine accept")
        yield made


@pytest.fixture
def backend(namespace: NetworkNamespace) -> Iterator[NftablesBackend]:
    """On that node."""
    made = make_backend(namespace)
    yield made
    made.close()


def make_backend(namespace: NetworkNamespace, options: Options = Options()) -> NftablesBackend:  # noqa: B008 - frozen
    """A proxy's."""
    return NftablesBackend(namespace.call(Kernel), options)


async def heal(backend: NftablesBackend) -> bool:
    """Program what differs; whether something did."""
    found = await backend.read()
    changes = difference(WANTED, found.rules)
    await backend.apply(changes)
    return bool(changes or found.damage)


def shown(namespace: NetworkNamespace, *, with_handles: bool = False) -> list[str]:
    """The table as nft shows it; elements come in any order."""
    flags = ("-a",) if with_handles else ()
    return sorted(namespace.run("nft", *flags, "list", "table", *TABLE.split()).splitlines())


@pytest.mark.parametrize("harm", HARMS)
async def test_harm_is_healed(namespace: NetworkNamespace, backend: NftablesBackend, harm: str) -> None:
    """Whatever was done, it is noticed, healed in one go, and nothing remains to be healed."""
    await heal(backend)
    as_it_should_be = shown(namespace)
    assert not await backend.was_touched()
    namespace.run("nft", harm)
    assert await backend.was_touched()
    assert await heal(backend)
    found = await backend.read()
    assert (found.rules, found.damage) == (WANTED, ())
    assert not await heal(backend)
    assert shown(namespace) == as_it_should_be
    assert namespace.run("nft", "list", "table", "ip", "others") == OTHERS


async def test_what_is_right_is_left_alone(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """Healing one chain makes no other anew: their handles stay."""
    await heal(backend)
    before = [line for line in shown(namespace, with_handles=True) if "refuse/" not in line]
    namespace.run("nft", f"flush chain {TABLE} refuse")
    await heal(backend)
    after = [line for line in shown(namespace, with_handles=True) if "refuse/" not in line]
    assert after == before


async def test_another_version_of_the_table(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """A table whose sets are of other types is replaced as a whole, in one transaction."""
    namespace.run("nft", f"add table {TABLE}; add map {TABLE} services {{ type ipv4_addr : verdict; }}")
    assert (await backend.read()).damage == ("the table is another version's",)
    assert await heal(backend)
    assert not await heal(backend)


async def test_another_chain_of_that_name(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """A chain of ours at another hook cannot be moved: the table is replaced."""
    hook = "{ type nat hook prerouting priority 50; }"
    namespace.run("nft", f"add table {TABLE}; add chain {TABLE} nat-prerouting {hook}")
    assert await heal(backend)
    assert not await heal(backend)


async def test_other_options(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """A proxy with another mark programs its chains anew, and finds the rules as they are."""
    await heal(backend)
    other = make_backend(namespace, Options(mark=0x8000))
    found = await other.read()
    assert found.rules == WANTED
    assert "chain nat-postrouting has other rules" in found.damage
    assert await heal(other)
    assert not await heal(other)
    other.close()


async def test_others_are_quicker(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """A transaction that does not fit what somebody else made of the table is refused as a whole; reading helps."""
    await heal(backend)
    namespace.run("nft", f"delete table {TABLE}")
    [frontend] = [one for one in WANTED if one.is_node_port]
    with pytest.raises(BackendFailed, match="nf_tables"):
        await backend.apply(Difference(remove=(frontend,)))
    with pytest.raises(BackendFailed, match="read"):
        await backend.apply(Difference())
    assert await heal(backend)
    assert not await heal(backend)


async def test_what_others_do_to_their_own(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """Changes of other tables, also of one of our name in another family, do not make us read ours."""
    await heal(backend)
    for change in ("add rule ip others mine drop", "add table ip6 kubewire", "delete table ip6 kubewire"):
        namespace.run("nft", change)
        assert not await backend.was_touched()
    namespace.run("nft", f"add rule {TABLE} services drop; add rule ip others mine drop")
    assert await backend.was_touched()
    assert await backend.was_touched()
    assert await heal(backend)
    assert not await backend.was_touched()
    namespace.run("nft", "add rule ip others mine drop")
    [frontend] = [one for one in WANTED if one.is_node_port]
    await backend.apply(Difference(remove=(frontend,)))
    assert not await backend.was_touched()
    assert await heal(backend)


async def test_more_changes_than_can_be_kept(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """When more was told than there is room for, the table counts as touched, and reading it settles that."""
    await heal(backend)
    many = ", ".join(f"10.{number // 250}.{number % 250}.1" for number in range(60000))
    namespace.run("nft", "add set ip others many { type ipv4_addr; }")
    script = f"add element ip others many {{ {many} }}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
        file.write(script)
        file.flush()
        namespace.run("nft", "-f", file.name)
    assert await backend.was_touched()
    assert not await heal(backend)
    assert not await backend.was_touched()


async def test_clear_leaves_others_alone(namespace: NetworkNamespace, backend: NftablesBackend) -> None:
    """Only our table goes."""
    await heal(backend)
    await backend.clear()
    assert namespace.run("nft", "list", "ruleset") == OTHERS

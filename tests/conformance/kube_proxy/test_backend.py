"""What every backend of kube-proxy promises: what is programmed is what is read, whoever reads it."""

from random import Random

import pytest

from kubewire.kube_proxy.backends.contracts import Backend
from kubewire.kube_proxy.desired.difference import Difference, difference
from kubewire.kube_proxy.desired.model import Frontend, Masquerade, Otherwise, Rule, Rules, Scope, Target
from kubewire.kube_proxy.errors import BackendFailed
from tests.conformance.kube_proxy.conftest import MakeBackend
from tests.kube_proxy_tables import rules

EVERYTHING = rules("""
    TCP 10.96.0.1:80 -> 10.244.0.1:8080* 10.244.1.1:8080 outside
    UDP 10.96.0.1:80 -> 10.244.0.1:53* outside
    SCTP 10.96.0.1:80 -> 10.244.0.1:36412* always
    TCP 10.96.0.2:80 -> 10.244.0.1:8080* 10.244.1.1:8080 10.244.1.2:8080 outside affinity=100
    TCP 10.96.0.3:80 reject
    UDP 10.96.0.3:53 drop
    TCP *:30080 -> 10.244.0.1:8080* never
    TCP *:30080 from inside -> 10.244.0.1:8080* 10.244.1.1:8080 outside
    UDP *:30081 -> 10.244.1.1:53 always affinity=10800
    TCP *:30082 drop
    UDP *:30082 reject
    TCP 192.0.2.1:80 -> 10.244.1.1:8080 never
    TCP 192.0.2.1:80 from inside -> 10.244.0.1:8080* 10.244.1.1:8080 outside
""")


async def programmed(backend: Backend) -> Rules:
    """What a backend reads, which must be whole."""
    found = await backend.read()
    assert not found.damage
    return found.rules


async def program(backend: Backend, wanted: Rules) -> None:
    """Read, and program what differs."""
    await backend.apply(difference(wanted, (await backend.read()).rules))


async def test_nothing_at_first(make_backend: MakeBackend) -> None:
    """An empty table has no rules, and can be programmed to have none."""
    backend = make_backend()
    assert not (await backend.read()).rules
    await backend.apply(Difference())
    assert not await programmed(backend)


async def test_what_is_programmed_is_read(make_backend: MakeBackend) -> None:
    """Rules of all kinds are read back as they were, by the one who programmed them and by the next."""
    backend = make_backend()
    await program(backend, EVERYTHING)
    assert await programmed(backend) == EVERYTHING
    assert await programmed(make_backend()) == EVERYTHING


async def test_the_next_one_finds_nothing_to_do(make_backend: MakeBackend) -> None:
    """A proxy that starts again changes nothing that is right."""
    first = make_backend()
    await program(first, EVERYTHING)
    following = make_backend()
    await program(following, EVERYTHING)
    assert not await first.was_touched()
    assert not await following.was_touched()


@pytest.mark.parametrize("frontend", list(EVERYTHING), ids=str)
async def test_one_rule_goes(make_backend: MakeBackend, frontend: Frontend) -> None:
    """Removing one rule leaves the others whole, and putting it back leads to where it was."""
    backend = make_backend()
    await program(backend, EVERYTHING)
    await backend.apply(Difference(remove=(frontend,)))
    rest = {key: one for key, one in EVERYTHING.items() if key != frontend}
    assert await programmed(backend) == rest
    await backend.apply(Difference(put=(EVERYTHING[frontend],)))
    assert await programmed(backend) == EVERYTHING
    await backend.apply(Difference(remove=tuple(EVERYTHING)))
    assert not await programmed(backend)


async def test_touched_by_another(make_backend: MakeBackend) -> None:
    """Changes of others are noticed, one's own are not."""
    one, other = make_backend(), make_backend()
    assert await one.was_touched()
    await program(one, EVERYTHING)
    assert not await one.was_touched()
    await other.read()
    await other.apply(Difference(remove=(next(iter(EVERYTHING)),)))
    assert await one.was_touched()
    assert not await other.was_touched()
    await program(one, EVERYTHING)
    assert not await one.was_touched()


async def test_clear(make_backend: MakeBackend) -> None:
    """Nothing is left, clearing twice is harmless, and what was cleared can be programmed again."""
    backend = make_backend()
    await backend.clear()
    await program(backend, EVERYTHING)
    await backend.clear()
    await backend.clear()
    assert not (await backend.read()).rules
    await program(backend, EVERYTHING)
    assert await programmed(backend) == EVERYTHING


async def test_reading_comes_first(make_backend: MakeBackend) -> None:
    """Who does not know what is programmed programs nothing."""
    backend = make_backend()
    with pytest.raises(BackendFailed, match="read"):
        await backend.apply(Difference(put=tuple(EVERYTHING.values())))
    await program(backend, EVERYTHING)
    await backend.clear()
    with pytest.raises(BackendFailed, match="read"):
        await backend.apply(Difference())


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens(make_backend: MakeBackend, seed: int) -> None:
    """After any row of changes, made by one backend after another, what is programmed is what was asked for."""
    random = Random(seed)
    wanted: dict[Frontend, Rule] = {}
    backend = make_backend()
    await program(backend, wanted)
    for _ in range(60):
        if not random.randrange(8):
            backend = make_backend()
            assert await programmed(backend) == wanted
        put = {one.frontend: one for one in (_random_rule(random) for _ in range(random.randrange(1, 4)))}
        candidates = sorted((key for key in wanted if key not in put), key=str)
        remove = random.sample(candidates, min(len(candidates), random.randrange(3)))
        await backend.apply(Difference(tuple(put.values()), tuple(remove)))
        wanted.update(put)
        for frontend in remove:
            del wanted[frontend]
    # What is local is a matter of addresses, and addresses here are local or not for good.
    assert await programmed(backend) == wanted


def _random_rule(random: Random) -> Rule:
    """Of few frontends and endpoints, so that they meet again and again."""
    address = random.choice(["", "10.96.0.1", "10.96.0.2", "192.0.2.1"])
    frontend = Frontend(address, random.choice(["TCP", "UDP"]), random.choice([80, 443]))
    targets = sorted(random.sample([Target(f"10.244.0.{n}", 8080, n < 4) for n in range(7)], random.randrange(6)))
    rule = Rule(frontend, f"default/{random.choice('ab')}", is_cluster_ip=address.startswith("10.96."))
    if not targets:
        return rule._replace(otherwise=random.choice(list(Otherwise)))
    return rule._replace(
        frontend=frontend._replace(scope=random.choice([Scope.ANY, Scope.ANY, Scope.INSIDE])),
        targets=tuple(targets),
        masquerade=random.choice(list(Masquerade)),
        affinity_seconds=random.choice([0, 0, 30, 10800]),
    )

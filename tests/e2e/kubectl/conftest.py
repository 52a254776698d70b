"""One cluster for all tests here, and a namespace for each."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.e2e.kubectl.kubectl_user import KubectlUser, cluster


@pytest.fixture(scope="session")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubectlUser]:
    """The cluster's admin."""
    with cluster(tmp_path_factory.mktemp("kubectl") / "home") as user:
        yield user


@pytest.fixture
def kubectl(admin: KubectlUser) -> KubectlUser:
    """kubectl in a namespace of the test's own."""
    namespace = f"t-{uuid4().hex[:8]}"
    admin.run("create", "namespace", namespace)
    user = KubectlUser(admin.home, namespace)
    user.run("wait", "--for=create", "serviceaccount/default", "--timeout=30s")  # without it there are no pods
    return user

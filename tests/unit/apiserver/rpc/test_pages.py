"""How many objects a page has."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.item import Item, Page
from kubewire.apiserver.options import ListOptions
from kubewire.apiserver.rpc.forms import TYPED
from kubewire.apiserver.rpc.pages import PAGE_BYTES, PAGE_BYTES_AT_MOST, PageSizes, encode_page
from kubewire.machinery.resources import Resource


class Shelf:
    """Lists objects of given sizes, and remembers what it was asked for."""

    def __init__(self, resource: Resource, sizes: list[int]) -> None:
        self.resource = resource
        self.items = [Item(resource, "x", str(place), 1, bytes(size)) for place, size in enumerate(sizes)]
        self.limits: list[int] = []

    async def list(self, options: ListOptions) -> Page:
        """The first of them."""
        self.limits.append(options.limit)
        return Page(self.items[: options.limit or None], 1)


async def test_limits_follow_the_size_of_objects(pods: Resource) -> None:
    """After one page, a page is about a megabyte, by a power of two so that lists ask for equal pages."""
    shelf, sizes = Shelf(pods, [1500] * 10_000), PageSizes()
    await sizes.list(pods, ListOptions(), shelf.list)
    page = await sizes.list(pods, ListOptions(), shelf.list)
    assert shelf.limits == [512, 512]
    assert PAGE_BYTES / 2 <= sum(len(item.raw) for item in page.items) <= PAGE_BYTES
    small, shelf_of_small = PageSizes(), Shelf(pods, [100] * 10_000)
    for _ in range(2):
        await small.list(pods, ListOptions(), shelf_of_small.list)
    assert shelf_of_small.limits == [512, 8192]


async def test_large_objects_never_make_a_page_that_clients_refuse(pods: Resource) -> None:
    """A page that turns out too large is asked for again, down to one object."""
    for sizes in ([100] * 400 + [500_000] * 100, [1_400_000] * 50, [5_000_000] * 3):
        shelf = Shelf(pods, sizes)
        page = await PageSizes().list(pods, ListOptions(), shelf.list)
        total = sum(len(item.raw) for item in page.items)
        assert page.items
        assert total <= PAGE_BYTES_AT_MOST or len(page.items) == 1
        assert len(shelf.limits) <= 4


async def test_a_limit_of_the_client_is_kept(pods: Resource) -> None:
    """Who asks for a number gets it, however large the page."""
    shelf = Shelf(pods, [1_000_000] * 20)
    page = await PageSizes().list(pods, ListOptions(limit=10), shelf.list)
    assert (len(page.items), shelf.limits) == (10, [10])


async def test_an_empty_list_is_a_page(pods: Resource) -> None:
    """Nothing there is an answer too."""
    page = await PageSizes().list(pods, ListOptions(), Shelf(pods, []).list)
    assert not page.items


def test_pages_of_the_same_items_share_their_bytes(pods: Resource) -> None:
    """A page at a later revision with the same items joins nothing anew."""
    pod = Pod()
    pod.metadata.name = "a"
    items = [Item(pods, "x", "a", 1, pod.SerializeToString())]
    first = Page(items, 5)
    encode_page(first, TYPED)
    second = Page(items, 6, item_forms=first.item_forms)
    first.item_forms["grpc"] = b""
    assert encode_page(second, TYPED) == b"\x0a\x03\x12\x016"

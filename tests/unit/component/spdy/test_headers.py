"""Header blocks of SPDY."""

import zlib

import pytest

from kubewire.component.spdy.errors import SpdyError
from kubewire.component.spdy.headers import BLOCK_BYTES, DICTIONARY, HeaderReader, HeaderWriter


def test_the_dictionary_is_the_protocols() -> None:
    """Its length and checksum, which every compressed stream names, are those of SPDY/3."""
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_blocks_share_one_context() -> None:
    """Names come out in lower case, and a later block is read with what was learnt from the ones before."""
    writer, reader = HeaderWriter(), HeaderReader()
    blocks = [writer.block({"streamType": "data", "Port": str(port)}) for port in (80, 81, 82)]
    assert [reader.headers(block)["port"] for block in blocks] == ["80", "81", "82"]
    assert len(blocks[2]) < len(blocks[0])


def test_of_repeated_values_the_first_counts() -> None:
    """Values of one name are joined by a zero byte."""
    assert HeaderReader().headers(HeaderWriter().block({"a": "1\x002"})) == {"a": "1"}


def test_long_blocks_are_refused() -> None:
    """A small block cannot become a large one."""
    block = HeaderWriter().block({"a": "x" * BLOCK_BYTES})
    assert len(block) < 1000
    with pytest.raises(SpdyError, match="longer than"):
        HeaderReader().headers(block)


@pytest.mark.parametrize("plain", [b"", b"\0\0\0\1", b"\0\0\0\1\0\0\0\5abc", b"\0\0\0\1\0\0\0\1\xff\0\0\0\0"])
def test_malformed_blocks_are_refused(plain: bytes) -> None:
    """Lengths have to fit, and texts have to be UTF-8."""
    packer = zlib.compressobj(zdict=DICTIONARY)
    with pytest.raises(SpdyError, match="malformed"):
        HeaderReader().headers(packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH))


def test_what_is_not_compressed_is_refused() -> None:
    """Bytes that are no zlib stream end the connection."""
    with pytest.raises(SpdyError, match="cannot be decompressed"):
        HeaderReader().headers(b"plain text")

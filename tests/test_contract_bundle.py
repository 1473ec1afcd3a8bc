"""The bundle as bytes: what the contract says, and what is noticed when it was touched."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from edge_agent.cli import cli
from edge_agent.contract import bundle, documents
from edge_agent.errors import MessageError

PRIVATE, OTHER, EPHEMERAL = "5c" * 32, "5d" * 32, "22" * 32
BATCHES = (b"the newest", b"older", b"oldest")


def example() -> dict[str, Any]:
    found = re.search(r"```json\n(.*?)```", documents.bundle(), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def written() -> list[bytes]:
    """Header, three records and the end, apart."""
    public = bundle.public_key(PRIVATE)
    out = bundle.Writing("bungi-1", "ab" * 16, public, EPHEMERAL)
    made = [out.record(10 - n, 10 - n, batch) for n, batch in enumerate(BATCHES)]
    return [out.header.line(), *made, out.end()]


def opened(data: bytes, private: str = PRIVATE) -> Iterator[bytes]:
    stream = io.BytesIO(data)
    reading = bundle.Reading(bundle.read_header(stream.read), private)
    for record in bundle.read_records(stream.read):
        payload = reading.open(record)
        if not record.is_end:
            yield payload


def as_far_as_it_goes(data: bytes) -> tuple[list[bytes], str]:
    """Batches, and why there are no more; "" if all was well."""
    found: list[bytes] = []
    try:
        for payload in opened(data):
            found.append(payload)  # noqa: PERF402  what came before an error counts
    except MessageError as error:
        return found, error.reason
    return found, ""


def test_the_worked_example_is_what_the_code_makes() -> None:
    """The same keys and the same batch give the same bytes, and the bytes the batch."""
    one = example()
    public = bundle.public_key(one["organisation_private"])
    out = bundle.Writing("bungi-1", "00112233445566778899aabbccddeeff", public, "22" * 32)
    data = bytes.fromhex("".join(one["bundle_hex"]))
    assert out.header.line() + out.record(1, 2, one["batch"].encode()) + out.end() == data
    assert list(opened(data, one["organisation_private"])) == [one["batch"].encode()]


def test_the_command_prints_the_document() -> None:
    """For whoever writes another central; its numbers are those of the code."""
    said = CliRunner().invoke(cli, ["contract", "--bundle"]).output
    assert said == documents.bundle()
    limit = bundle.MAX_WIRE_BYTES + bundle.TAG_BYTES
    for word in (f"{limit:,}", f"at most {bundle.MAX_HEADER_BYTES} bytes", bundle.INFO.decode()):
        assert word in said


def test_what_was_written_is_read() -> None:
    """In order and byte for byte, by the private key alone."""
    assert as_far_as_it_goes(b"".join(written())) == (list(BATCHES), "")
    with pytest.raises(MessageError, match="organisation"):
        list(opened(b"".join(written()), OTHER))


def test_cut_anywhere_every_whole_record_before_the_cut_is_read() -> None:
    """And it says that it was cut, also exactly between two records and before the end."""
    parts = written()
    whole = b"".join(parts)
    ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    for at in range(len(whole)):
        found, reason = as_far_as_it_goes(whole[:at])
        assert found == list(BATCHES[: sum(end <= at for end in ends[1:4])])
        assert reason == ("bundle" if at < ends[0] else "cut"), at


def test_every_flipped_bit_is_a_refusal() -> None:
    """In the header, in a record, in the end: no batch but those before it, and a reason."""
    parts = written()
    whole = b"".join(parts)
    ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    for bit in range(len(whole) * 8):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        found, reason = as_far_as_it_goes(bytes(data))
        before = max(0, sum(end <= bit // 8 for end in ends) - 1)
        assert found == list(BATCHES[:before])
        assert reason in {"bundle", "organisation", "record", "cut"}, bit


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 1, 2), (1, 2), (0, 2)])
def test_records_that_were_moved_or_taken_out_do_not_open(order: tuple[int, ...]) -> None:
    """Each is bound to its place."""
    header, *made = written()
    moved = header + b"".join(made[n] for n in order) + made[-1]
    assert as_far_as_it_goes(moved)[1] == "record"


def test_the_end_does_not_come_early_or_twice() -> None:
    """Whoever shortens a bundle cannot give it an end."""
    header, *made = written()
    assert as_far_as_it_goes(header + made[0] + made[-1])[1] == "record"
    assert as_far_as_it_goes(b"".join(written()) + made[-1])[1] in {"cut", "record"}


def test_a_record_belongs_to_its_own_bundle() -> None:
    """Another terminal's header before the same records opens nothing."""
    header, *made = written()
    assert as_far_as_it_goes(header.replace(b"bungi-1", b"bungi-2") + made[0]) == ([], "record")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"PK\x03\x04" * 400, b"7\n", b'{"bundle":1}\n',
        b"\xff" * 2000, written()[0].replace(b'":', b'": '), written()[0].replace(b"1", b"2", 1),
        written()[0].replace(b'"journal":', b'"journal":1,"journal":'),
    ],
)  # fmt: skip
def test_a_foreign_file_is_no_bundle(data: bytes) -> None:
    """One reason for all of them, whatever they are."""
    assert as_far_as_it_goes(data) == ([], "bundle")


@pytest.mark.parametrize("text", ["", "ab" * 31, "AB" * 32, "g" * 64, "00" * 32])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """Also the one to which nothing can be encrypted."""
    with pytest.raises(ValueError, match=r"."):
        bundle.check_public(text)
    assert bundle.check_public(bundle.public_key(PRIVATE) + "\n") == bundle.public_key(PRIVATE)


def test_an_ephemeral_key_that_is_none_opens_nothing() -> None:
    """A header that names the point of low order."""
    header = written()[0]
    ephemeral = bundle.read_header(io.BytesIO(header).read).ephemeral
    low = header.replace(ephemeral.encode(), b"00" * 32)
    assert as_far_as_it_goes(low) == ([], "organisation")

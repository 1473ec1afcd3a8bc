"""The worked example of the written contract, computed again with nothing of the program.

This is what a stranger does who writes a consumer in another language: only the file, SHA-256,
HMAC, JSON and Ed25519.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FILE = Path(__file__).parent.parent / "edge_agent" / "contract" / "asyncapi.yaml"
INFO: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["info"]
TEXT: str = INFO["description"]
EXAMPLE: dict[str, Any] = INFO["x-worked-example"]
BATCH = json.loads(EXAMPLE["batch"])
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(EXAMPLE["private_key"]))


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_the_messages_of_the_example_are_canonical() -> None:
    """Batch and receipt are themselves in canonical form, and the batch carries the two texts."""
    for name in ("batch", "receipt"):
        assert written(json.loads(EXAMPLE[name])) == EXAMPLE[name]
    assert [written(entry) for entry in BATCH["entries"]] == EXAMPLE["texts"]


def test_the_heads_of_the_example_follow_from_its_texts() -> None:
    """Each head is SHA-256 of the head before, as bytes, and of the canonical text."""
    begin = f"edge-agent/journal/1\n{EXAMPLE['terminal']}\n{EXAMPLE['journal']}"
    heads = [hashlib.sha256(begin.encode()).digest()]
    for entry in BATCH["entries"]:
        heads.append(hashlib.sha256(heads[-1] + written(entry).encode()).digest())
    assert [head.hex() for head in heads] == EXAMPLE["heads"]
    assert (BATCH["prev"], BATCH["seal"]["head"]) == (EXAMPLE["heads"][0], EXAMPLE["heads"][2])


def test_the_seal_of_the_example_is_made_and_verified_by_rfc_8032() -> None:
    """Ed25519 is deterministic: the private key gives this very signature."""
    seal = BATCH["seal"]
    signed = "\n".join(
        ["edge-agent/seal/1", BATCH["terminal"], BATCH["journal"], str(seal["seq"]), seal["head"]]
    )
    assert signed == EXAMPLE["signed"]
    raw = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert raw.hex() == EXAMPLE["public_key"] == seal["key"]
    assert PRIVATE.sign(signed.encode()).hex() == EXAMPLE["signature"] == seal["signature"]
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal["key"]))
    public.verify(bytes.fromhex(seal["signature"]), signed.encode())
    with pytest.raises(InvalidSignature):
        public.verify(bytes.fromhex(seal["signature"]), signed.encode() + b"\n")


def test_the_card_of_the_example_is_concealed_under_the_organisations_key() -> None:
    """The punch carries the HMAC of the credential, the start names the key by another HMAC."""
    key = bytes.fromhex(EXAMPLE["organisation_key"])
    concealed = hmac.new(key, EXAMPLE["credential"].encode(), hashlib.sha256).hexdigest()
    key_name = hmac.new(key, b"edge-agent/key-id", hashlib.sha256).hexdigest()[:16]
    start, punch = BATCH["entries"]
    assert punch["credential"] == EXAMPLE["concealed"] == concealed
    assert start["credential_key"] == EXAMPLE["credential_key"] == key_name
    assert EXAMPLE["credential"] not in EXAMPLE["batch"]


def test_the_receipt_of_the_example_answers_its_batch() -> None:
    """Both entries are stored, nothing is missing, and the head is that of the seal."""
    receipt = json.loads(EXAMPLE["receipt"])
    assert (receipt["upto"], receipt["last"], receipt["missing"]) == (2, 2, [])
    assert receipt["head"] == BATCH["seal"]["head"]


def test_the_punch_of_the_example_is_on_the_next_day_at_its_site() -> None:
    """By UTC it would be the evening before: the trap that the contract warns of."""
    start, punch = BATCH["entries"]
    utc = datetime.fromtimestamp(punch["at"]["utc_ms"] // 1000, UTC)
    local = utc.astimezone(ZoneInfo(start["zone"]))
    assert f"{utc:%Y-%m-%d %H:%M:%S}" == "2026-11-22 23:21:08"
    assert f"{local:%Y-%m-%d %H:%M:%S}" == "2026-11-23 07:21:08"


def test_the_punch_of_the_example_dates_the_start_before_it() -> None:
    """By the contract's formula, to what its text says."""
    start, punch = (entry["at"] for entry in BATCH["entries"])
    assert start["boot"] == punch["boot"]
    apart_ms = start["mono_ms"] - punch["mono_ms"]
    made_ms = punch["utc_ms"] + apart_ms
    error_ms = punch["error_ms"] - -abs(apart_ms) // 9_999
    assert f"{made_ms}, give or take {error_ms} ms" in " ".join(TEXT.split())

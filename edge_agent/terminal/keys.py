"""The two keys: the organisation's conceals credentials, the terminal's own seals the journal."""

from pathlib import Path

from edge_agent.contract import chain, credentials
from edge_agent.errors import ConfigError
from edge_agent.ports import files


def credential_key(path: Path) -> bytes:
    """The organisation's key. Raises ConfigError if it is not there, or is no key."""
    hint = "copy the organisation's key there, or make one with `edge-agent central new-key FILE`"
    return files.read_key(path, "credential key", credentials.parse_key, hint)


def sealer(path: Path) -> chain.Sealer:
    """The terminal's own key, made at the first start."""
    if not path.exists():
        try:
            made = chain.Sealer.new().to_hex().encode() + b"\n"
            files.write_whole(path, made, 0o600, durable=True)
        except OSError as error:
            cause = error.strerror or str(error)
            hint = "make its directory writable for the agent's user"
            raise ConfigError("make the seal key", str(path), cause, hint) from None
    hint = "restore it from a backup, or remove it and have the central trust the new one"
    return files.read_key(path, "seal key", chain.Sealer.from_hex, hint)

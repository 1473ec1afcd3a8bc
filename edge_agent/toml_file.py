"""TOML files into frozen dataclasses; whatever does not fit is one line that says where and why."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from edge_agent import shape
from edge_agent.errors import ConfigError

T = TypeVar("T")


def read(path: Path, kind: type[T], operation: str) -> T:
    """Fill the dataclass `kind` from a TOML file. Raises ConfigError."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return shape.load(kind, table)
    except OSError as error:
        cause = error.strerror or str(error)
        raise ConfigError(operation, str(path), cause, "name an existing, readable file") from None
    except UnicodeDecodeError:
        raise ConfigError(operation, str(path), "not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(operation, str(path), f"not TOML: {error}", "mend that line") from None
    except shape.ShapeError as error:
        raise wrong_shape(path, error, operation) from None
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        cause = "not TOML: a number too long, or brackets too deep"
        raise ConfigError(operation, str(path), cause, "mend that line") from None


def wrong_shape(path: Path, error: shape.ShapeError, operation: str) -> ConfigError:
    """The ConfigError that says which key of which file does not fit."""
    meant = f' (did you mean "{error.nearest}"?)' if error.nearest else ""
    cause = f"key {error.key}: found {error.found}"
    return ConfigError(operation, str(path), cause, f"allowed: {error.allowed}{meant}")

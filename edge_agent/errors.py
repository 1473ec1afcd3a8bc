"""Every error that may reach a person: what was done, to what, why it failed, what cures it.

Bad input from a wire is never one of these; it is counted where it was met.
"""


class EdgeAgentError(Exception):
    """An operation on an object failed; `hint` says what a person can do about it."""

    exit_code = 1

    def __init__(self, operation: str, subject: str, cause: str, hint: str) -> None:
        super().__init__(f"{operation} {subject}: {cause}; {hint}")
        self.operation = operation
        self.subject = subject
        self.cause = cause
        self.hint = hint


class ConfigError(EdgeAgentError, ValueError):
    """A TOML file, or a file that it names, cannot be used as it is."""

    exit_code = 2


class JournalError(EdgeAgentError, OSError):
    """The journal could not be opened, read or written; the entry in hand is not stored."""


class PanelError(EdgeAgentError, OSError):
    """The lights cannot be driven from this machine as configured."""


class CentralError(EdgeAgentError, OSError):
    """The central's database or its broker cannot be used."""


class MessageError(ValueError):
    """A message from the wire is refused.

    Attributes:
        reason: one of a small fixed set of words, so that refusals can be counted by reason.
        detail: what exactly was found, for the person who reads the count.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

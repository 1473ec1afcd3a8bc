"""Where messages go. `root` is the organisation's, e.g. ``attendance/baubau``, without wildcards.

{root}/{terminal}/entries   terminal -> central   batches of the journal, QoS 1
{root}/{terminal}/receipt   central -> terminal   what the central's database has, QoS 1, retained
{root}/{terminal}/status    terminal -> anybody   online or offline (last will), QoS 1, retained
{root}/{terminal}/roster    central -> terminal   who holds which credential, QoS 1, retained
"""

ENTRIES = "entries"
RECEIPT = "receipt"
STATUS = "status"
ROSTER = "roster"

#: A terminal's name is one topic level and one file name.
TERMINAL_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"
ROOT_PATTERN = r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*"


def topic(root: str, terminal: str, channel: str) -> str:
    return f"{root}/{terminal}/{channel}"


def split(root: str, name: str) -> tuple[str, str]:
    """The terminal and the channel of a topic under `root`; ("", "") for any other topic."""
    head, _, channel = name.rpartition("/")
    above, _, terminal = head.rpartition("/")
    return (terminal, channel) if above == root else ("", "")

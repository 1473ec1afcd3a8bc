"""`edge-agent central import`: what was carried by hand, into the database, and receipts back."""

from pathlib import Path

import click

from edge_agent.central import imports, settings
from edge_agent.central.serve import wall_ms
from edge_agent.central.store import Store
from edge_agent.cli.options import central_config
from edge_agent.cli.progress import Progress
from edge_agent.cli.table import plain
from edge_agent.contract import bundle
from edge_agent.errors import CentralError
from edge_agent.ports import files


@click.command("import")
@central_config
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def import_bundles(path: Path, paths: tuple[Path, ...]) -> None:
    """Take the bundles in PATHS, files or directories, and lay receipts beside them.

    Beside a running `edge-agent central serve`; in any order, twice, in part. Exit 1 if anything
    was refused, or cut and is missing still; what is whole is taken all the same.
    """
    wanted = settings.load(path)
    private = private_key(Path(wanted.organisation_key))
    found = [file for one in paths for file in imports.files(one)]
    if not found:
        cause, hint = "there is no bundle", "name the directory where the bundles lie"
        raise CentralError("import", " ".join(map(str, paths)), cause, hint)
    taken = []
    with Store(Path(wanted.database)) as store, Progress("importing", "bytes") as progress:
        sizes = [_size(file) for file in found]
        for number, file in enumerate(found):
            before = sum(sizes[:number])
            taken.append(_take(store, file, private, before, sum(sizes), progress))
        # Not before: what a bundle lacks is in the one that was written when the export went on.
        well = [outcome is not None and _whole(store, outcome) for outcome in taken]
    if not all(well):
        raise click.exceptions.Exit(1)


def _size(file: Path) -> int:
    """For the progress alone: a stick that is pulled out now is said when it is read."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _whole(store: Store, outcome: imports.Outcome) -> bool:
    """True if nothing was refused and nothing is missing; says which it is of one that was cut."""
    if not outcome.cut:
        return not outcome.refused
    missing = store.receipt(outcome.terminal, outcome.journal).missing
    if outcome.new + outcome.known and not missing:  # newest first: it lacks older ones
        click.echo(f"{outcome.file}: what was cut off is here by another way")
        return not outcome.refused
    ranges = ", ".join(f"{first}-{last}" for first, last in missing[:3])
    entries = f"entries {ranges}{' ...' if missing[3:] else ''}" if missing else "its entries"
    hint = "import the other bundles, too, or export again"
    click.echo(f"{outcome.file}: {entries} are missing still; {hint}")
    return False


def _take(
    store: Store, file: Path, private: str, before: int, whole: int, progress: Progress
) -> imports.Outcome | None:
    """Take one bundle and say what became of it; None if it is none that we can take."""
    try:
        outcome = imports.take(
            store, file, private, wall_ms, lambda done: progress(before + done, whole)
        )
        progress.clear()
        click.echo(said(outcome))
        if outcome.new or outcome.known:
            click.echo(f"receipt: {imports.write_receipt(store, outcome)}")
    except CentralError as error:
        progress.clear()
        click.echo(f"edge-agent: {error}", err=True)
        return None
    return outcome


def said(outcome: imports.Outcome) -> str:
    """One bundle in one line."""
    refused = [f"{count} x {why}" for why, count in sorted(outcome.refused.items())]
    parts = [
        f"{outcome.file}: {outcome.terminal}: {outcome.new:,} new, {outcome.known:,} known",
        f"records refused: {', '.join(refused)}" if refused else "",
        f"CUT {outcome.cut}" if outcome.cut else "",
    ]
    return plain("; ".join(filter(None, parts)))


def private_key(path: Path) -> str:
    """The organisation's private key. Raises ConfigError."""
    hint = "make one with `edge-agent central new-organisation-key FILE`, or restore it"
    return files.read_key(path, "organisation's private key", bundle.key_of, hint)

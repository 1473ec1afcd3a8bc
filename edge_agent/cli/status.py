"""`edge-agent status`: one screen about this terminal, also after its agent has stopped."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from edge_agent import config
from edge_agent.cli.options import terminal_config
from edge_agent.cli.table import lines
from edge_agent.errors import JournalError
from edge_agent.ports import files
from edge_agent.terminal.assembly import lock_file

#: What every agent says of itself; a file that lacks any of it is not an agent's.
_SAID = {
    *("version", "at", "ports", "clock", "fix", "place", "broker"),
    *("journal", "taps", "roster", "rejected", "survey"),
}

_POWERS = (
    ("RSSI", "rssi_dbm", 1, "dBm"),
    ("RSRP", "rsrp_dbm", 1, "dBm"),
    ("RSRQ", "rsrq_e1", 10, "dB"),
    ("SNR", "snr_e1", 10, "dB"),
)


@click.command()
@terminal_config
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(path: Path, *, as_json: bool) -> None:
    """Show ports, fix, place, clock, reception, backlog, last receipt and what was rejected."""
    wanted = config.load(path)
    found = {
        "running": _running(lock_file(wanted)),
        "stored": _stored(Path(wanted.files.journal)),
        "last": _last_words(Path(wanted.files.status)),
    }
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for line in _screen(wanted, found):
        click.echo(line)


def _running(lock: Path) -> bool:
    try:
        return files.is_locked(lock)
    except PermissionError:
        hint = "run it with sudo, or as the agent's user"
        raise JournalError("ask for", str(lock), "permission denied", hint) from None


def _last_words(path: Path) -> dict[str, Any] | None:
    """What the agent last said of itself; None if this version said nothing yet."""
    found = files.read_status(path)
    return found if found.keys() >= _SAID else None


def _stored(path: Path) -> dict[str, Any] | None:
    """What the journal holds, read beside a running agent; None if there is no journal."""
    try:
        path.stat()
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=2)) as db:
            last = db.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0]
            first = db.execute("SELECT coalesce(min(seq), 1) FROM entry").fetchone()[0]
            upto = db.execute("SELECT upto FROM received").fetchone()[0]
            name = db.execute("SELECT journal FROM identity").fetchone()[0]
            row = db.execute(
                "SELECT CAST(text AS BLOB) FROM entry ORDER BY seq DESC LIMIT 1"
            ).fetchone()
            faults = db.execute("SELECT what, which, cause FROM open_incident").fetchall()
    except FileNotFoundError:
        return None
    except (sqlite3.Error, OSError) as error:
        return {"error": getattr(error, "strerror", None) or str(error)}
    return {
        "journal": name,
        "first_seq": first,
        "last_seq": last,
        "received": upto,
        "last_entry": _entry(row[0]) if row else None,
        "incidents": [{"what": what, "which": which, "cause": why} for what, which, why in faults],
    }


def _entry(text: bytes) -> dict[str, Any] | None:
    """An entry as a table; None if its row was damaged or changed by somebody."""
    try:
        found = json.loads(text)
        whole = type(found["seq"]) is type(found["at"]["utc_ms"]) is int
    except (ValueError, TypeError, KeyError):
        return None
    return {"kind": "entry", **found} if whole else None


def _screen(wanted: config.Config, found: dict[str, Any]) -> list[str]:
    last, stored = found["last"], found["stored"]
    zone = ZoneInfo(wanted.site.zone)
    out = [f"{wanted.terminal}  {wanted.site.name} ({wanted.site.zone})"]
    out.append(f"agent     {'running' if found['running'] else 'NOT RUNNING'}{_since(last, zone)}")
    if stored is None:
        return [*out, f"journal   none yet at {wanted.files.journal}"]
    if "error" in stored:
        why = f"journal   cannot be read at {wanted.files.journal}: {stored['error']}"
        return [*out, why, *(_live(last) if last else [])]
    if last is None:
        pending = stored["last_seq"] - stored["received"]
        out.append(f"journal   {stored['last_seq']} entries, at most {pending} to deliver")
    else:
        out += _live(last)
    entry = stored["last_entry"]
    if entry:
        out.append(f"newest    {entry['kind']} {entry['seq']} at {_local(entry['at'], zone)}")
    for one in stored["incidents"]:
        out.append(f"INCIDENT  {one['what']} {one['which']}: {one['cause']}".replace(" :", ":"))
    if last is not None:
        out += ["", *_ports(last)]
    return out


def _live(last: dict[str, Any]) -> list[str]:
    broker, taps, roster = last["broker"], last["taps"], last["roster"]
    broker_is = "connected" if broker["online"] else f"not connected: {broker['cause']}"
    out = [
        f"clock     {_clock(last['clock'])}",
        f"fix       {_fix(last['fix'])}",
        f"place     {_place(last['place'])}",
        f"broker    {broker['host']}:{broker['port']} {broker_is}",
        f"cost      {_cost(broker)}",
        f"reception {_reception(last['survey'], last['at']['mono_ms'])}",
        f"use       {_use(last['survey'], last['at']['mono_ms'])}",
        f"journal   {_delivery(last['journal'])}",
        f"kept      {_kept(last['journal'], last['at'])}",
        f"taps      {_taps(last['taps'])}",
        f"roster    {_roster(roster)}",
    ]
    if taps["last_failure"]:
        out.append(f"FAILURE   {taps['last_failure']}")
    rejected = ", ".join(f"{count} x {why}" for why, count in sorted(last["rejected"].items()))
    out.append(f"rejected  {rejected or 'no message'}")
    return out


def _roster(roster: dict[str, Any] | None) -> str:
    if roster is None:
        return "CANNOT BE READ"
    return "version {version}, {people} credentials".format(**roster)


def _delivery(journal: dict[str, Any]) -> str:
    counts = "{last_seq} entries, {backlog} to deliver, {in_flight} in flight".format(**journal)
    left_ms = journal["left_ms"]
    if journal["backlog"] and left_ms is not None:
        counts += f" ({duration(left_ms)} left at this pace)"
    return f"{counts}, last receipt {_age(journal['last_receipt_age_ms'])}"


def _cost(broker: dict[str, Any]) -> str:
    """What the link carried this UTC day, both ways."""
    used = f"{broker['bytes_today'] / 1000:,.0f} kB today (UTC)"
    if broker["bytes_a_day"] is None:
        return used
    most = broker["bytes_a_day"]
    spent = broker["bytes_today"] >= most
    return f"{used} of {most / 1000:,.0f}" + (": SPENT, only new punches go" if spent else "")


def _kept(journal: dict[str, Any], at: dict[str, Any]) -> str:
    """From which entry on, how old that is, and what nobody has any more."""
    said = f"from entry {journal.get('first_seq', 1)} on"
    if journal.get("oldest_ms") is not None and at["error_ms"] is not None:
        said += f", {(at['utc_ms'] - journal['oldest_ms']) / 86_400_000:.1f} days"
    if journal.get("gone"):
        said += f"; {journal['gone']} that the central asks for again are not kept any more"
    return said


def _reception(survey: dict[str, Any], now_ms: int) -> str:
    heard = survey["reception"]
    if heard is None:
        return "nothing heard yet, or nothing to hear with"
    said = [heard["bearer"], heard["registration"], heard["technology"], heard["operator"]]
    parts = [" ".join(word for word in said if word)]
    parts += [
        f"{name} {heard[key] / per:g} {unit}"
        for name, key, per, unit in _POWERS
        if heard[key] is not None
    ]
    return ", ".join([*parts, _age(now_ms - survey["heard_ms"])])


def _use(survey: dict[str, Any], now_ms: int) -> str:
    """Of the broker, since the last survey."""
    counts, length_ms = survey["counts"], max(1, now_ms - survey["since_ms"])
    share = 100 * counts["online_ms"] / length_ms
    tried = "{connections} of {attempts} connections".format(**counts)
    return f"online {share:.0f} % of {length_ms / 60_000:.0f} min, {tried}"


def _taps(taps: dict[str, Any]) -> str:
    counts = "{punches} stored ({repeats} repeats, {unknown} unknown), {misreads} not read"
    counts += ", {failures} failures"
    return counts.format(**taps) + " since the agent started"


def _ports(last: dict[str, Any]) -> list[str]:
    cells = [
        [port["name"], port["device"], port["state"], str(port["noise"]), str(port["rejected"])]
        for port in last["ports"]
    ]
    return lines(["port", "device", "state", "noise bytes", "rejected"], cells)


def _clock(clock: dict[str, Any]) -> str:
    """What stamps rest on; a contradiction is also an incident, which says more."""
    if clock["error_ms"] is None:
        said = "unverified: no receiver and no network has told the time yet"
    else:
        said = f"{clock['source']}, within {clock['error_ms']} ms"
    if clock["contradictions"]:
        said += ", CONTRADICTED by " + " and ".join(
            one["source"] for one in clock["contradictions"]
        )
    return f"{said}, {clock['refused']} statements refused" if clock["refused"] else said


def _place(place: dict[str, Any]) -> str:
    said = str(place["grade"])
    if place["reasons"]:
        said += f" ({place['reasons']})"
    if place["distance_m"] is not None:
        said += f", {place['distance_m']} m from the site, {_age(place['age_ms'])}"
    return said


def _fix(fix: dict[str, Any] | None) -> str:
    if fix is None:
        return "none"
    place = f"{fix['lat_e7'] / 1e7:.5f}, {fix['lon_e7'] / 1e7:.5f}"
    sky = f"{fix['satellites'] or '?'} satellites"
    sky += "" if fix["hdop_e2"] is None else f", HDOP {fix['hdop_e2'] / 100:.1f}"
    sky += "" if fix["cn0"] is None else f", strongest {fix['cn0']} dB-Hz"
    return f"{place}, {_age(fix['age_ms'])}, {sky}"


def duration(ms: int) -> str:
    """A length of time as people say it."""
    seconds = round(ms / 1000)
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _age(age_ms: int | None) -> str:
    if age_ms is None:
        return "never since the agent started"
    return f"{age_ms / 1000:.0f} s ago"


def _since(last: dict[str, Any] | None, zone: ZoneInfo) -> str:
    if last is None:
        return ", nothing heard of this version since the machine started"
    return f", version {last['version']}, as of {_local(last['at'], zone)}"


def _local(at: dict[str, Any], zone: ZoneInfo) -> str:
    instant = datetime.fromtimestamp(at["utc_ms"] / 1000, UTC).astimezone(zone)
    return instant.strftime("%Y-%m-%d %H:%M:%S")

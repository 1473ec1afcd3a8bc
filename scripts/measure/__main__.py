"""What the terminal costs, as ratios to the bare parts, taken in one run on one machine.

Each part is measured beside its yardstick in alternating rounds, so that a machine whose speed
drifts moves both. Absolute times say nothing about a Raspberry Pi; the ratios carry over.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure.agent import bench_idle, bench_tap
from measure.append import bench_append
from measure.drain import bench_drain, bench_live, bench_memory
from measure.evidence import bench_evidence, bench_gnss
from measure.scale import bench_scale

#: name, what it says, target as (limit, True if more is better)
TARGETS: tuple[tuple[str, str, float | None, bool], ...] = (
    ("append_p50_ratio", "append, p50, over a bare commit of the same row", 1.5, False),
    ("append_p99_ratio", "append, p99, over the same", None, False),
    (
        "tap_p50_over_commit_ms",
        "last byte on the pty to green, p50, ms above a commit",
        None,
        False,
    ),
    ("tap_p99_over_commit_ms", "last byte on the pty to green, p99, ms above a commit", 5, False),
    ("evidence_p50_ms", "a tap's stamp and graded place, p50, ms", None, False),
    ("evidence_p99_ms", "the same, p99, ms", 0.2, False),
    ("gnss_cpu_percent", "CPU with GNSS at 10 Hz, every sentence, percent", 2, False),
    ("gnss_above_idle_percent", "the same above idle", None, False),
    ("drain_puback_ratio", "drain to PUBACK over paho, one entry a message", 10, True),
    ("drain_receipt_ratio", "drain to receipts over the same", 1.5, True),
    ("drain_resident_mb", "the agent at its most while it drains, MB", 60, False),
    ("drain_resident_ratio", "the same, a million entries over 5,000", 1.1, False),
    ("wire_bytes_per_punch_backlog", "bytes on the wire a punch, backlog", 40, False),
    ("wire_bytes_per_punch_metered", "the same where each byte costs", 20, False),
    ("wire_bytes_per_punch_live", "bytes on the wire a punch, live", 450, False),
    ("disk_bytes_per_punch", "bytes written to disk a punch", None, False),
    ("disk_bytes_per_bare_row", "bytes written to disk a bare row", None, False),
    ("scale_append_p50_ratio", "append, p50, 10 million entries over 1,000", 1.1, False),
    ("scale_append_p99_ratio", "append, p99, the same", None, False),
    ("scale_settle_p50_ratio", "settle with a live punch, p50, the same", 1.1, False),
    ("scale_settle_p99_ratio", "settle with a live punch, p99, the same", None, False),
    ("scale_memory_ratio", "memory of opening and settling, the same", 1.1, False),
    ("prune_step_p50_ms", "a step that prunes 256 of 10 million, p50, ms", None, False),
    ("prune_step_p99_ms", "the same, p99, ms", 10, False),
    ("resident_mb", "resident memory, MB", 45, False),
    ("idle_cpu_percent", "idle CPU, percent of a core", 1, False),
    ("ready_p50_s", "start to ready, s", 1, False),
)

PARTS = {
    "append": bench_append,
    "tap": bench_tap,
    "evidence": bench_evidence,
    "idle": bench_idle,
    "gnss": bench_gnss,
    "drain": bench_drain,
    "live": bench_live,
    "memory": bench_memory,
    "scale": bench_scale,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--only", choices=PARTS)
    arguments.add_argument("--out", type=Path, default=Path("bench.json"))
    wanted = arguments.parse_args()
    figures: dict[str, Any] = {}
    for name, part in PARTS.items():
        if wanted.only in (None, name):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            # Beside the checkout: /tmp may be memory, where a commit costs nothing.
            with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as work:
                figures |= part(Path(work), wanted.quick)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    wanted.out.write_text(json.dumps({"machine": machine, **figures}, indent=1), encoding="utf-8")
    print(f"{machine}; raw figures in {wanted.out}")
    missed = 0
    for key, words, target, more_is_better in TARGETS:
        if key not in figures:
            continue
        verdict = ""
        if target is not None:
            good = figures[key] >= target if more_is_better else figures[key] <= target
            missed += not good
            sign = ">=" if more_is_better else "<="
            verdict = f"target {sign} {target:g}: {'holds' if good else 'MISSED'}"
        print(f"{figures[key]:10.2f}  {words:58}  {verdict}".rstrip())
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

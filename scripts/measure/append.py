"""An append to the journal beside a bare commit of the same row."""

import statistics
import time
from pathlib import Path
from typing import Any

from edge_agent.journal import Journal
from measure.yardstick import TERMINAL, Bare, percentile, punch, row, written


def bench_append(work: Path, quick: bool) -> dict[str, Any]:
    bare, journal = Bare(work / "bare.db"), Journal(work / "append.db", TERMINAL)
    ours: list[float] = []
    theirs: list[float] = []
    bytes_ours = bytes_theirs = 0
    for seq in range(1, 1_000 if quick else 4_000):
        record, same = punch(seq), row(seq)
        # In turns and in changing order: whoever comes second finds the disk as the first left it.
        for ours_now in (True, False) if seq % 2 else (False, True):
            before = written()
            began = time.perf_counter()
            if ours_now:
                journal.append(*record)
                ours.append(time.perf_counter() - began)
                bytes_ours += written() - before
            else:
                bare.commit(same)
                theirs.append(time.perf_counter() - began)
                bytes_theirs += written() - before
    journal.close()
    return {
        "append_p50_us": statistics.median(ours) * 1e6,
        "append_p99_us": percentile(ours, 0.99) * 1e6,
        "bare_p50_us": statistics.median(theirs) * 1e6,
        "bare_p99_us": percentile(theirs, 0.99) * 1e6,
        "append_p50_ratio": statistics.median(ours) / statistics.median(theirs),
        "append_p99_ratio": percentile(ours, 0.99) / percentile(theirs, 0.99),
        "disk_bytes_per_punch": bytes_ours / len(ours),
        "disk_bytes_per_bare_row": bytes_theirs / len(theirs),
    }

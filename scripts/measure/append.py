"""An append to the journal beside a bare commit of the same row."""

import itertools
import statistics
import time
from pathlib import Path
from typing import Any

from edge_agent.journal import Journal
from measure.yardstick import TERMINAL, Bare, percentile, punch, written


def bench_append(work: Path, quick: bool) -> dict[str, Any]:
    bare, journal = Bare(work / "bare.db"), Journal(work / "append.db", TERMINAL)
    rounds, each = (4, 250) if quick else (8, 500)
    ours: list[float] = []
    theirs: list[float] = []
    bytes_ours = bytes_theirs = 0
    numbers = itertools.count()
    for _ in range(rounds):
        before = written()
        for _ in range(each):
            record = punch(next(numbers))
            began = time.perf_counter()
            journal.append(*record)
            ours.append(time.perf_counter() - began)
        between = written()
        for _ in range(each):
            began = time.perf_counter()
            bare.commit()
            theirs.append(time.perf_counter() - began)
        bytes_ours += between - before
        bytes_theirs += written() - between
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

"""The other end: every entry exactly once, receipts, resolved times, gaps and the roll-call."""

"""The other end: every entry exactly once, receipts, gaps and the roll-call."""

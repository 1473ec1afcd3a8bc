"""The machine's edges: serial ports and their threads, clocks, the status file, systemd."""

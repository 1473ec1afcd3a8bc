"""The machine's edges: serial ports and their threads, clocks, chrony, small files, systemd."""

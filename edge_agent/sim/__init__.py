"""A terminal without hardware: devices on pseudo-terminals, sky, clocks, network, an office day."""

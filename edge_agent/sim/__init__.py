"""A terminal without hardware: devices on pseudo-terminals, a network to cut, an office day."""

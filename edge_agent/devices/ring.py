"""The ring of light around the sensor of an R503: AuraLedConfig, command 35.

    35 | control | speed | colour | times        control 1 breathe, 2 flash, 3 on, 4 off, 6 fade out
    35 01 50 06 00                               cyan, breathing, for ever

Colours 1 red, 2 blue, 3 purple, 4 green, 5 yellow, 6 cyan, 7 white; the first series has 1 to 3. On
modules of other makers 35 is a handshake, so only a profile that names the ring gets any light.
Source: GROW R503 manual V1.4.1 page 33.
"""

from edge_agent.records import Signal

_AURA_LED_CONFIG = 0x35
_FLASH, _ON = 2, 3
_RED, _BLUE, _PURPLE, _GREEN, _YELLOW = 1, 2, 3, 4, 5
#: In units of 10 ms; how long the flashes are is not documented better than that.
_SPEED = 0x50

#: Control, colour and times by what is to be said; 0 times is until the next.
_SEVEN = {
    Signal.STORED: (_FLASH, _GREEN, 2),
    Signal.REPEAT: (_FLASH, _YELLOW, 2),
    Signal.UNKNOWN: (_FLASH, _RED, 2),
    Signal.MISREAD: (_FLASH, _RED, 1),
    Signal.FAULT: (_ON, _RED, 0),
    Signal.ENROL: (_ON, _BLUE, 0),
    Signal.ENROLLED: (_FLASH, _GREEN, 3),
    Signal.TAKEN: (_FLASH, _RED, 3),
    Signal.UNSTABLE: (_FLASH, _RED, 3),
    # Never the colour of a stored tap: at the sensor people look for that alone.
    Signal.CARRYING: (_FLASH, _PURPLE, 2),
    Signal.CARRIED: (_FLASH, _PURPLE, 10),
    Signal.UNCARRIED: (_FLASH, _RED, 3),
}
#: Without green and yellow: blue says stored, purple repeated.
_THREE = {_GREEN: _BLUE, _YELLOW: _PURPLE, _BLUE: _PURPLE}


def light(ring: str, signal: Signal) -> bytes:
    """The content of the command that shows `signal` on this ring; b"" if there is no ring."""
    if not ring:
        return b""
    control, colour, times = _SEVEN[signal]
    if ring == "r503-old":
        colour = _THREE.get(colour, colour)
    return bytes([_AURA_LED_CONFIG, control, _SPEED, colour, times])

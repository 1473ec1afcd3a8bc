"""edge-agent: attendance that can be believed, from places where nothing works.

The README's section "The house" says which room holds what.
"""

__version__ = "0.1.0"

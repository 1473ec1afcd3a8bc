"""edge-agent: attendance that can be believed, from places where nothing works.

The README's section "The house" says which room holds what.
"""

__version__ = "0.1.0"
#: UTC date before which nothing of this version can have run; moved on with each release.
BUILT = "2026-11-01"

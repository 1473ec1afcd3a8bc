"""When and where, and how sure: pure conclusions from what the edges observed."""

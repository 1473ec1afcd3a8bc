"""``python -m edge_agent`` is the same program as ``edge-agent``."""

from edge_agent.cli import main

if __name__ == "__main__":
    main()

"""The agent on the wall: one thread takes events and makes every decision."""

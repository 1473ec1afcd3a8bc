"""MQTT: the connection, and the window of entries that the central has not yet receipted."""

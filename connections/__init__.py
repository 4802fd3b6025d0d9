"""How an organization is reached: endpoints, connectors, metadata update, connect."""

"""Client to server: what waits is delivered in its order, each with the version it was based on."""

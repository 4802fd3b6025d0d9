"""Update Server: the server's schema against the client's → plan → apply. Never server-ward."""

"""The same worlds over a hosted client, a Dynamics twin over HTTP, and the database."""

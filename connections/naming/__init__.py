"""Attributes that have other names on the server than on the client, and who renames them.

The names are kept with the connection (`SyncedEntity.names`). They are applied in one place, the
connector `renamed.Renamed` around the server's own: whatever stands above it, Update Server and
the engine among it, sees the server in the client's names.
"""

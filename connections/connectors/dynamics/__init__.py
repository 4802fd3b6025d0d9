"""The Dynamics back end: Dataverse Web API v9.2."""

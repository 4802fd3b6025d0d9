"""The Dynamics twin: a hosted organization served as Dataverse Web API, and its metadata codec."""

"""The authors' acceptance tests (mission.md A4) by cell, against a Dynamics twin over HTTP."""

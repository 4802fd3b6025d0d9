"""The JSON API under /api/: connections, entities, jobs and runs, for staff of the installation."""

"""The pages of connections, runs and jobs."""

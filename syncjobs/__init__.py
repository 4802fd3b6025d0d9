"""Moving data between two organizations: engine, jobs, runs, history."""

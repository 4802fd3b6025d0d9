"""Sample organizations: metadata written by hand, and a generator of fictitious records."""

"""Two organizations in memory, everything that can go wrong between them, and a judge."""

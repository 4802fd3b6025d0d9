"""The story of one record: links, writes with their runs and reasons, both sides, the filter."""

"""The connector to a Resco Cloud organization by its REST services (resco.md §1, §2)."""

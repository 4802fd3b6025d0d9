"""What an administrator sees of connections: the forms and the grid; jobs are started elsewhere."""

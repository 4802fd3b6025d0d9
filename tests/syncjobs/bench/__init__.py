"""What the benches do, in small."""

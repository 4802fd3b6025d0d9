"""What an organization is, and the organizations that this installation hosts."""

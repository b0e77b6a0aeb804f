"""What `make` needs and no user does."""

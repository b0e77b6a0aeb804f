"""What a caller may ask for: one class per mutation, one file per noun."""

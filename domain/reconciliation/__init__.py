"""Whether what we know is what the processor knows: missed events, and objects compared field by field."""

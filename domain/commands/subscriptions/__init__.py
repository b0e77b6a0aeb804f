"""What may be done with subscriptions."""

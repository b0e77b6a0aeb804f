"""GraphQL in, GraphQL out. No SQL, no Stripe, no rules."""

"""Recurring billing: the rules by which subscriptions live, invoices are made, and invoices are collected."""

"""The rules of money. Standard library only."""

"""Accounts: handles, passwords, tokens and profiles."""

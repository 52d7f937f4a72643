"""Longer `flask` commands, one noun per file."""

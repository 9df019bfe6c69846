"""Talking to a character: in the terminal, or on a page of this machine."""

"""Whole clusters on one machine: started, asked and ended by one command."""

"""Admission plug-ins that decide from the object alone, in the order a stock server runs them."""

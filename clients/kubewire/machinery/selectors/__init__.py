"""Selectors: which objects a list, a watch or an owner means, by their labels or by some of their fields."""

"""Objects as rows of tables, as `kubectl get` prints them: which columns a kind has, and what stands in its cells."""

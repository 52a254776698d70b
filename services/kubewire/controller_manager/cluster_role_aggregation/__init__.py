"""ClusterRoles whose rules are those of others, found by their labels."""

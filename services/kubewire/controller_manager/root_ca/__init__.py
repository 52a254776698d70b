"""The CA that pods check the API server by, published in every namespace."""

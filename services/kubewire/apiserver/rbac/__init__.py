"""Role-based access: who may do what according to roles and bindings, and who may give away how much of it."""

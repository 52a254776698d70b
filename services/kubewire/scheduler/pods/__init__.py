"""What the scheduler knows of a pod: what it asks for and what it says about others."""

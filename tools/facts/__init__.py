"""Import of Kubernetes' published wire facts (tables) into the forms this project keeps them in."""

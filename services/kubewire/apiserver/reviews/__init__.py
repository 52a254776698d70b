"""Questions in the form of objects: who am I, may I, may they, whose token is this. Nothing of them is stored."""

"""What several controllers ask of pods and of who owns them."""

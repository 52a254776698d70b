"""The cluster as the scheduler sees it: one row a node, in numpy columns."""

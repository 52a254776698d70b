"""The API server: the one component that knows etcd, and the face every other component and user talks to."""

"""Certificates of a cluster: its own authority (`authority`), and the files they are kept in (`store`)."""

"""Rules as maps of nf_tables: a table of our own, changed in transactions."""

"""What was written lately, by whom and why: a bounded memory that answers "why did this object change?".

It is best effort and local to one API server; nothing of it goes to etcd. Who wants the whole answer asks every server.
"""

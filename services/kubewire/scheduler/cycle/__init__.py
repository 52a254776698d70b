"""The loop: what informers tell goes into snapshot and queue, pods come out, decisions go to those who act on them."""

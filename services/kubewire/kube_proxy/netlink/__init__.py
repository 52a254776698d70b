"""What is spoken with the kernel: messages of netfilter over netlink sockets."""

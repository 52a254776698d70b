"""The garbage collector: objects whose owners are gone go too, as their owners' deletion asked for."""

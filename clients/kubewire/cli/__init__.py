"""The command `kubewire`."""

"""Pure machinery of the Kubernetes API: names, errors, selectors, quantities, patches, schema, codecs.

Nothing here does I/O or keeps a clock; every other package of Kubewire builds on it.
"""

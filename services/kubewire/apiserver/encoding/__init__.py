"""From what the core hands out (items, pages, batches of events) to the bytes REST clients asked for.

The core keeps objects as protobuf bytes; everything else (JSON, YAML, tables, metadata only) is made here on
demand, kept per object within a bound, and joined rather than encoded again for lists and watches.
"""

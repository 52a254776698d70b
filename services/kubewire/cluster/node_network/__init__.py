"""The network between a cluster's nodes as a component: it watches Nodes, and routes and pod networks follow them."""

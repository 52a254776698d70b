"""The controller-manager's errors.

component.errors       StartError           the process cannot start as it was asked to
└── AddressNotListenedOn                    a port is taken, or an address is none of this machine's
machinery.errors       StatusError          what the API server answered; the reconcile loops try again
client.leader_election LeadershipLost       the term is over; the process runs for election again
"""

from __future__ import annotations

from kubewire.component.errors import StartError


class AddressNotListenedOn(StartError):
    """A port is taken, or an address is none of this machine's; another port helps."""

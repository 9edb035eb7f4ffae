"""The store: jobs, their events, the models they made and what became of them, in SQLite.

One connection, used by one thread. Every change and its event are on disk before they are told.
"""

from dlae_server.models.signature import Signature
from dlae_server.store.migrations import MIGRATIONS
from dlae_server.store.whole import Store

__all__ = ["MIGRATIONS", "Signature", "Store"]

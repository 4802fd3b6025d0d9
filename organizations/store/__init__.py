"""The only reader and writer of hosted records (see `store.Store`)."""

from organizations.store.answering import Answer
from organizations.store.faults import Fault, FaultKind
from organizations.store.merging import Merged
from organizations.store.staging import MOST_ROWS, Staged
from organizations.store.store import Store

__all__ = ["MOST_ROWS", "Answer", "Fault", "FaultKind", "Merged", "Staged", "Store"]

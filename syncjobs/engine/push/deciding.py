"""What is to be done about one transaction, by what both sides have: nothing here reads or writes.

=============  ===========================  ==================================================
transaction    record on the server         decision
=============  ===========================  ==================================================
create         none, or not asked for       create with its id
create,        has all values that are      delivered: an earlier answer was lost, or both
update         to be sent                   sides were changed alike
update         as it was agreed on          change the columns that differ
create,        changed, or left the filter  the conflict rule
update
update         none                         the conflict rule: the server deleted it
update         none, nor a link             create: both sides lost it, the client has it again
delete         none                         delivered
delete         as it was agreed on          delete
delete         changed, or left the filter  the conflict rule
associate      (not asked for)              make the pair; one that is there is as good
disassociate   none                         delivered
disassociate   there                        remove the pair, unless it was made again since
=============  ===========================  ==================================================

*As it was agreed on*: at the link's version, or with the link's digest again. Never is a record
written that may be there or not: an update that finds no record does not make it anew.
"""

from __future__ import annotations

from connections.errors import Rejected
from syncjobs.engine.push.cases import Case, Decision, Settle
from syncjobs.engine.push.changing import record
from syncjobs.engine.push.pairing import associate, disassociate
from syncjobs.engine.push.removing import delete
from syncjobs.engine.transactions import UNREADABLE, Action, Status


def needs_look(case: Case) -> bool:
    """Return whether the server's record must be known before anything is sent."""
    action = case.transaction.action
    if action is Action.ASSOCIATE:
        return False
    is_new = action is Action.CREATE and case.link is None
    return not is_new or case.transaction.attempts > 0 or case.ends.is_matched


def decide(case: Case) -> Decision:
    """Return what is to be done. Raises Rejected if the transaction cannot be read."""
    if isinstance(case.server, Rejected):
        return Settle(status=Status.ERROR, code=UNREADABLE, message=f"On the server: {case.server}")
    match case.transaction.action:
        case Action.CREATE | Action.UPDATE:
            return record(case, case.server)
        case Action.DELETE:
            return delete(case, case.server)
        case Action.ASSOCIATE:
            return associate(case)
        case Action.DISASSOCIATE:
            return disassociate(case, case.server)

"""A model's own ``before`` and ``after`` around an operation, in the operation's transaction."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.transactions import writing


def run(call: Call) -> bytes:
    """Run the verb; where the model has hooks, all three share one transaction.

    A dry run rolls it back, whatever the hooks wrote and whatever parameters ``before`` made of those that were given.
    """
    options = call.exposed.options
    if options.before is None and options.after is None:
        return call.operation.verb.run(call)
    if not call.operation.writes:
        return _hooked(call)
    with writing(call.alias, dry_run=call.params.get("dry_run") is True):
        return _hooked(call)


def prepared(call: Call) -> Call:
    """The call as the model's ``before`` wants it."""
    before = call.exposed.options.before
    if before is None:
        return call
    changed = before(call.principal, call.operation.verb.name, dict(call.params))
    if changed is None:
        return call
    if not isinstance(changed, dict):
        raise Invalid(f"the before hook of {call.exposed.resource} returned no parameters")
    return replace(call, params=changed)


def _hooked(call: Call) -> bytes:
    call = prepared(call)
    after, verb = call.exposed.options.after, call.operation.verb
    result = verb.run(call)
    if after is not None:
        after(call.principal, verb.name, dict(call.params), msgspec.json.decode(result))
    return result

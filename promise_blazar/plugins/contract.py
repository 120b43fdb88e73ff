# SPDX-License-Identifier: Apache-2.0
"""Resource types: the contract that a plugin keeps, as four small protocols.

A type *describes* what clients ask for, *books* what that takes in the ledger, *realises* it in
OpenStack step by step, and *reconciles* what is there with what should be. ``Plugin`` is all four.

``Spec`` and ``State`` are frozen dataclasses of the type's own: what was asked for, and what was
made in OpenStack that cannot be found again by name alone. Their fields are columns of a table
(ours) or members of a JSON object (types from elsewhere), so they hold text, numbers, truth values
and None.

A plugin keeps nothing between calls and writes no database. Its steps may be interrupted anywhere
and are simply run again, by this process or another: each looks at what there is and does what is
missing. Errors of the cloud (``exceptions.CloudError``, ``NotFound``) may leave a step; they are
taken for ``Failed``, and for retryable where OpenStack did not answer.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from promise_blazar.capacity.demand.contract import Demand
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.model.lease import Reservation
from promise_blazar.model.openstack_names import Names
from promise_blazar.model.reason import Reason

Spec = TypeVar("Spec")
State = TypeVar("State")
Observed = TypeVar("Observed")
Asked = TypeVar("Asked", contravariant=True)


@dataclass(frozen=True, slots=True)
class Done:
    """The step is over. ``state``, of ``prepare`` only: what is made by now."""

    state: Any = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """OpenStack is at it; the step is to be run again after a while.

    ``seconds``: after how long, where that is known.
    """

    reason: Reason
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The step did not succeed.

    ``retryable``: trouble that passes by itself, so that it is never given up. ``avoid``: names of
    hypervisors that cannot be had, so that other hosts may be booked instead.
    """

    reason: Reason
    retryable: bool = False
    avoid: frozenset[str] = frozenset()


StepResult = Done | Waiting | Failed


@dataclass(frozen=True, slots=True)
class HostAllocation:
    """Units (1 for a whole host) that a reservation holds on a host, by OpenStack's names."""

    hypervisor: str
    service_host: str
    hypervisor_uuid: str
    units: int


@dataclass(frozen=True, slots=True)
class StepContext(Generic[Spec, State]):
    """One reservation, as the steps of its type see it.

    ``record`` keeps ids of servers that ``clear`` will delete; ``servers`` are those recorded so
    far. Only recorded servers are ever deleted: a step that comes late, after its host went to
    somebody else, can then do no harm. ``keep``: writes down another state at once, before what
    depends on it is done. ``running``: it was handed over before. ``shun``: of
    ``start``, hypervisors that are out of service, so that ``start`` fails and ``avoid``s those
    where nothing of the reservation is yet. ``occasion``: of ``before_end``, the same text when
    that is run again for the same warning.
    """

    reservation_id: str
    project_id: str
    spec: Spec
    state: State
    allocations: tuple[HostAllocation, ...]
    servers: frozenset[str] = frozenset()
    shun: frozenset[str] = frozenset()
    running: bool = False
    occasion: str = ""
    record: Callable[[Iterable[str]], None] = lambda servers: None
    keep: Callable[[Any], None] = lambda state: None


class Describes(Protocol[Spec, State]):
    """The type in the words of clients. Needs no cloud: API processes have no more of it.

    ``resource_type``: its name in requests, at most 66 characters. ``spec_type``, ``state_type``:
    its frozen dataclasses; each field of the state has a default.
    """

    resource_type: str
    spec_type: type[Spec]
    state_type: type[State]

    @staticmethod
    def parse(values: Mapping[str, Any]) -> Spec:
        """The specification that a client's keys mean. Raises ``BadInput``."""
        ...

    @staticmethod
    def revise(spec: Spec, values: Mapping[str, Any], running: bool) -> Spec:
        """The specification with these keys changed. Raises ``BadInput``, ``CannotUpdate``."""
        ...

    @staticmethod
    def revised_state(old: Spec, new: Spec, state: State) -> State:
        """The state when the specification has changed, before anything is made of that; the very
        same object where it stays."""
        ...

    @staticmethod
    def show(reservation_id: str, spec: Spec, state: State) -> dict[str, Any]:
        """The keys of this type in answers."""
        ...

    @staticmethod
    def missing_group(spec: Spec, state: State) -> str | None:
        """The policy of the server group that the tenant's own token has still to make."""
        ...

    @staticmethod
    def with_group(state: State, group_id: str) -> State | None:
        """The state with that server group; None where the type has no use for one."""
        ...


class Books(Protocol[Asked]):
    """What the type takes in the ledger."""

    @staticmethod
    def demand(spec: Asked) -> Demand:
        """What to book, of any kind that ``capacity.demand`` has."""
        ...


class Realises(Protocol[Spec, State]):
    """The steps that make a reservation real in OpenStack, and take it back.

    All are idempotent and run under the ownership of the reservation's lease.
    """

    def prepare(self, context: StepContext[Spec, State]) -> StepResult:
        """Make what can be made before the start. ``Done.state`` says what there is then."""
        ...

    def start(self, context: StepContext[Spec, State]) -> StepResult:
        """Hand the allocated hosts over. ``Failed.avoid`` names those that cannot be had."""
        ...

    def before_end(self, context: StepContext[Spec, State]) -> StepResult:
        """Do what the tenant wants done while everything is still there."""
        ...

    def close(self, context: StepContext[Spec, State]) -> bool:
        """Let nobody in any more. Whether anybody could still come in until now.

        What was let in before and has not arrived yet may still come, for a few seconds.
        """
        ...

    def clear(self, context: StepContext[Spec, State]) -> StepResult:
        """Delete its servers. ``Done``: a look that began now found none."""
        ...

    def end(self, context: StepContext[Spec, State]) -> StepResult:
        """Take everything back, once it is closed and cleared. ``Done``: nothing is left in
        OpenStack."""
        ...


class Reconciles(Protocol[Spec, State, Observed]):
    """What of the type is in OpenStack, compared with what should be.

    ``empties_freepool``: its hosts leave the freepool while a reservation of it is running.
    """

    empties_freepool: bool

    def observe(self, aggregates: Mapping[str, Aggregate], hypervisors: Sequence[str]) -> Observed:
        """What there is that may be of this type; read before the records are.

        ``aggregates``: all of them by name, listed a moment ago; ``hypervisors``: names of the
        lent hosts.
        """
        ...

    def diff(
        self, context: StepContext[Spec, State], observed: Observed, running: bool
    ) -> list[str]:
        """What of a prepared, or running, reservation is missing or wrong, in words.

        ``prepare`` and ``start`` put it right.
        """
        ...

    def owned_reservations(self, observed: Observed) -> frozenset[str]:
        """Ids of the reservations of this type that have anything in OpenStack."""
        ...

    def delete_leftovers(self, reservation_id: str, observed: Observed) -> None:
        """Remove what is left of a reservation that is over. Never a server."""
        ...

    def late_servers(self, context: StepContext[Spec, State]) -> Sequence[str]:
        """Of the recorded servers, those that are on what it had, since it was released."""
        ...


class ResourceType(Describes[Any, Any], Books[Any], Protocol):
    """What is known of a type without a cloud."""


class Plugin(ResourceType, Realises[Any, Any], Reconciles[Any, Any, Any], Protocol):
    """A resource type with its cloud."""

    def __init__(self, cloud: Cloud, names: Names) -> None: ...


class NoServerGroup:
    """The part of *describes* that types without server groups have in common."""

    @staticmethod
    def revised_state(old: Any, new: Any, state: Any) -> Any:
        return state

    @staticmethod
    def missing_group(spec: Any, state: Any) -> None:
        return None

    @staticmethod
    def with_group(state: Any, group_id: str) -> None:
        return None


class NoDoor:
    """The part of *realises* and *reconciles* that types into which no servers come have in
    common."""

    def close(self, context: Any) -> bool:
        return False

    def clear(self, context: Any) -> StepResult:
        return Done()

    def late_servers(self, context: Any) -> Sequence[str]:
        return ()


def fields_of(value: Any) -> dict[str, Any]:
    """A specification or a state, by the names of its fields."""
    return dataclasses.asdict(value)


def spec_of(kind: Describes[Spec, Any], details: Mapping[str, Any]) -> Spec:
    """The specification that a reservation's details hold."""
    fields = dataclasses.fields(kind.spec_type)  # type: ignore[arg-type]
    # A field that came later is not in what was kept before: then its default holds.
    return kind.spec_type(**{f.name: details[f.name] for f in fields if f.name in details})


def state_of(kind: Describes[Any, State], details: Mapping[str, Any]) -> State:
    """The state that a reservation's details hold; what is not there was not made yet."""
    names = (field.name for field in dataclasses.fields(kind.state_type))  # type: ignore[arg-type]
    return kind.state_type(**{name: details[name] for name in names if name in details})


def changed_fields(before: Any, after: Any) -> dict[str, Any]:
    """The fields of ``after``, of the same type, that are other than before."""
    old = fields_of(before)
    return {name: value for name, value in fields_of(after).items() if old[name] != value}


def demand_of(kind: ResourceType, reservation: Reservation) -> Demand:
    """What a reservation on record takes; its queries see what they may."""
    demand = kind.demand(spec_of(kind, reservation.details))
    hidden = frozenset(reservation.hidden_properties)
    return demand.blind_to(hidden) if hidden else demand

# SPDX-License-Identifier: Apache-2.0
"""Whole hosts for those who install them by themselves: ``bare:node``.

The hosts stay in the freepool, where nobody's servers go without a reservation, and are listed in
an aggregate of the reservation's for whoever installs them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import inputs
from promise_blazar.plugins.contract import Done, NoDoor, NoServerGroup, StepContext, StepResult

PURPOSE = "bare:purpose"


@dataclass(frozen=True, slots=True)
class NodeSpec:
    nodes: int
    purpose: str


@dataclass(frozen=True, slots=True)
class NodeState:
    """``aggregate_id``: where the hosts are listed."""

    aggregate_id: int | None = None


Context = StepContext[NodeSpec, NodeState]


class BareNode(NoServerGroup, NoDoor):
    resource_type = "bare:node"
    spec_type = NodeSpec
    state_type = NodeState
    empties_freepool = False

    def __init__(self, cloud: Cloud, names: Names) -> None:
        self._cloud = cloud
        self._names = names

    # It describes

    @staticmethod
    def parse(values: Mapping[str, Any]) -> NodeSpec:
        purpose = values.get("purpose", "")
        if not isinstance(purpose, str) or len(purpose) > 200:
            raise exceptions.MalformedParameter(param="purpose")
        return NodeSpec(inputs.integer(values, "nodes", 1), purpose)

    @staticmethod
    def revise(spec: NodeSpec, values: Mapping[str, Any], running: bool) -> NodeSpec:
        return BareNode.parse({"nodes": spec.nodes, "purpose": spec.purpose, **values})

    @staticmethod
    def show(reservation_id: str, spec: NodeSpec, state: NodeState) -> dict[str, Any]:
        shown = {"nodes": spec.nodes, "purpose": spec.purpose}
        return {**shown, "aggregate_id": state.aggregate_id}

    # It books

    @staticmethod
    def demand(spec: NodeSpec) -> WholeHosts:
        return WholeHosts(spec.nodes, spec.nodes)

    # It realises

    def prepare(self, context: Context) -> StepResult:
        metadata = {self._names.owner_key: context.project_id, PURPOSE: context.spec.purpose}
        found = self._cloud.aggregates.ensure(context.reservation_id, None, metadata)
        return Done(NodeState(found.id))

    def start(self, context: Context) -> StepResult:
        for held in context.allocations:
            self._cloud.aggregates.add_host(context.state.aggregate_id, held.service_host)
        return Done()

    def before_end(self, context: Context) -> StepResult:
        return Done()

    def end(self, context: Context) -> StepResult:
        if context.state.aggregate_id is not None:
            self._cloud.aggregates.delete(context.state.aggregate_id)
        return Done()

    # It reconciles

    def observe(
        self, aggregates: Mapping[str, Aggregate], hypervisors: Sequence[str]
    ) -> Mapping[str, Aggregate]:
        return {name: each for name, each in aggregates.items() if PURPOSE in each.metadata}

    def diff(
        self, context: Context, observed: Mapping[str, Aggregate], running: bool
    ) -> list[str]:
        if context.reservation_id not in observed:
            return ["its aggregate is missing"]
        there = observed[context.reservation_id].hosts
        missing = (held for held in context.allocations if held.service_host not in there)
        return [f"{held.hypervisor} is not in its aggregate" for held in missing if running]

    def owned_reservations(self, observed: Mapping[str, Aggregate]) -> frozenset[str]:
        return frozenset(observed)

    def delete_leftovers(self, reservation_id: str, observed: Mapping[str, Aggregate]) -> None:
        self._cloud.aggregates.delete(observed[reservation_id].id)

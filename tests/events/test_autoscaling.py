"""
AutoScalingTerminationPolicyEvent.
"""

from __future__ import annotations

from lambda_kit.events import AutoScalingTerminationPolicyEvent
from tests.events.payloads import payload


def test_a_termination_policy_names_instances() -> None:
    """
    The answer is a list of ids.
    """
    event = AutoScalingTerminationPolicyEvent.model_validate(payload("autoscaling_termination"))

    assert {"InstanceIDs": ["i-0056faf8da3e1f75d"]} == event.response(instance.instance_id for instance in event.instances)
    assert 1 == event.capacity_to_terminate[0].capacity

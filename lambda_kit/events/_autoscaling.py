"""
Instances that EC2 Auto Scaling wants to terminate.

Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lambda-custom-termination-policy.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._model import Event, Part


class TerminationCapacity(Part):
    """
    How much must go from where.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    availability_zone: str | None = None
    capacity: int | None = None
    instance_market_option: str | None = None


class TerminationInstance(Part):
    """
    An instance that may go.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    instance_id: str
    availability_zone: str | None = None
    instance_type: str | None = None
    instance_market_option: str | None = None


class AutoScalingTerminationPolicyEvent(Event):
    """
    A custom termination policy is asked which instances to terminate. It has 2 seconds.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "autoscaling"

    auto_scaling_group_name: str
    auto_scaling_group_arn: str | None = Field(default=None, alias="AutoScalingGroupARN")
    capacity_to_terminate: list[TerminationCapacity]
    instances: list[TerminationInstance]
    cause: str | None = None

    def response(self, instance_ids: Iterable[str]) -> dict[str, Any]:
        """
        Return the answer: the instances that may be terminated.
        """
        return {"InstanceIDs": list(instance_ids)}

"""
Requests of CloudFormation: custom resources, macros and hooks.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requesttypes-create.html
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._model import Event, Part
from lambda_kit.events._validation import from_object

M = TypeVar("M", bound=BaseModel)


class CustomResourceEvent(Event):
    """
    A resource is to be created, updated or deleted.

    The answer goes by PUT to :attr:`response_url`, without a content type, whatever happens: else the stack waits for an hour.
    Answers to ``Delete`` must repeat the physical id. Whatever the template says, numbers and booleans come as text.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "cloudformation"

    request_type: str
    response_url: str | None = Field(default=None, alias="ResponseURL", repr=False)
    stack_id: str | None = None
    request_id: str | None = None
    resource_type: str | None = None
    logical_resource_id: str
    physical_resource_id: str | None = None
    service_token: str | None = None
    resource_properties: dict[str, Any] | None = Field(default=None, repr=False)
    old_resource_properties: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def is_create(self) -> bool:
        """Whether the resource is new."""
        return self.request_type == "Create"

    @property
    def is_update(self) -> bool:
        """Whether the resource changes; another physical id in the answer says that it was replaced."""
        return self.request_type == "Update"

    @property
    def is_delete(self) -> bool:
        """Whether the resource goes."""
        return self.request_type == "Delete"

    def parse(self, model: type[M]) -> M:
        """
        Return the resource's properties as *model*; numbers and booleans, which are text, become what the model says.

        Raises:
            EventError: They do not fit; it names the field and shows no value.
        """
        return from_object(model, self.resource_properties or {}, source=self.source_name, at="ResourceProperties")

    def parse_old(self, model: type[M]) -> M:
        """
        Return the properties before the update as *model*; see :meth:`parse`.
        """
        return from_object(model, self.old_resource_properties or {}, source=self.source_name, at="OldResourceProperties")

    def response(
        self,
        physical_resource_id: str | None = None,
        *,
        data: dict[str, Any] | None = None,
        failed: str = "",
        no_echo: bool = False,
    ) -> dict[str, Any]:
        """
        Return the body of the answer, at most 4096 bytes as JSON.

        Args:
            physical_resource_id: What identifies the resource; by default what the request said, else the logical id.
            data: What ``Fn::GetAtt`` returns.
            failed: Why it failed; empty when it did not.
            no_echo: Mask *data* in what CloudFormation shows.
        """
        return {
            "Status": "FAILED" if failed else "SUCCESS",
            "Reason": failed,
            "PhysicalResourceId": physical_resource_id or self.physical_resource_id or self.logical_resource_id,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
            "NoEcho": no_echo,
            "Data": data or {},
        }


class CloudFormationMacroEvent(Event):
    """
    A template, or a part of it, is to be transformed.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html
    """

    source_name: ClassVar[str] = "cloudformation_macro"

    fragment: Any
    transform_id: str
    request_id: str
    region: str | None = None
    account_id: str | None = None
    params: dict[str, Any] | None = Field(default=None, repr=False)
    template_parameter_values: dict[str, Any] | None = Field(default=None, repr=False)

    def response(self, fragment: Any, *, failed: str = "") -> dict[str, Any]:
        """
        Return the answer: what to put in the fragment's place, or why that *failed*.
        """
        answer = {"requestId": self.request_id, "status": "failure" if failed else "success", "fragment": fragment}
        return answer | ({"errorMessage": failed} if failed else {})


class HookRequestData(Part):
    """
    What is about to be provisioned. ``target_model`` has ``resourceProperties`` and, for updates, ``previousResourceProperties``.
    """

    target_name: str | None = None
    target_type: str | None = None
    target_logical_id: str | None = None
    target_model: dict[str, Any] | None = Field(default=None, repr=False)
    payload: str | None = Field(default=None, repr=False)


class CloudFormationHookEvent(Event):
    """
    A Lambda Hook is asked whether to go on.

    Source: https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html
    """

    source_name: ClassVar[str] = "cloudformation_hook"

    client_request_token: str
    action_invocation_point: str
    hook_type_name: str | None = None
    hook_type_version: str | None = None
    aws_account_id: str | None = None
    stack_id: str | None = None
    change_set_id: str | None = None
    hook_model: dict[str, Any] | None = Field(default=None, repr=False)
    request_data: HookRequestData = Field(default_factory=HookRequestData)
    request_context: dict[str, Any] | None = None

    def response(self, *, failed: str = "", error_code: str = "NonCompliant") -> dict[str, Any]:
        """
        Return the answer: go on, or *failed*, the reason why not.
        """
        answer = {"hookStatus": "FAILED" if failed else "SUCCESS", "clientRequestToken": self.client_request_token}
        return answer | ({"message": failed, "errorCode": error_code} if failed else {})

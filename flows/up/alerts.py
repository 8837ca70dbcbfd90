"""Automations on the server, and whom they tell: a block named `genre-alerts`, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import BlockDocument
    from prefect.events.actions import ActionTypes
    from prefect.events.schemas.automations import AutomationCore

    from flows.results import Json

BLOCK = "genre-alerts"
"""A webhook or notification block of this name is called when an automation fires."""

_WEBHOOK = "webhook"
_UNORDERED = ("after", "expect", "for_each")
_MESSAGE = (
    "{{ automation.description }} "
    "{{ event.resource.name or event.resource.id }}: "
    "{{ event.payload.message or (event.payload.validated_state or {}).message or event.event }}"
)
_SUBJECT = "{{ automation.name }}: {{ event.resource.name or event.resource.id }}"
_PAYLOAD = (
    '{"automation": {{ automation.name|tojson }}, "event": {{ event.event|tojson }}, '
    '"resource": {{ event.resource.id|tojson }}, "text": {{ message|tojson }}}'
)


def action(client: SyncPrefectClient, *, webhook: str | None = None) -> ActionTypes | None:
    """Return what automations do: call the block `genre-alerts`, None if there is none.

    Parameters
    ----------
    client : SyncPrefectClient
    webhook : str, optional
        Address; the block is made of it, or given it.
    """
    from prefect.events.actions import CallWebhook, SendNotification

    if webhook is not None:
        _save_webhook(webhook)
    document = _find(client)
    if document is None or document.block_type is None:
        return None
    if document.block_type.slug == _WEBHOOK:
        payload = "{% set message %}" + _MESSAGE + "{% endset %}" + _PAYLOAD
        return CallWebhook(block_document_id=document.id, payload=payload)
    return SendNotification(block_document_id=document.id, subject=_SUBJECT, body=_MESSAGE)


def apply(
    client: SyncPrefectClient, automation: Mapping[str, Any], *, action: ActionTypes | None
) -> None:
    """Create the automation, or bring those of its name up to date.

    Parameters
    ----------
    client : SyncPrefectClient
    automation : Mapping
        As `prefect automation create --from-file` takes it.
    action : optional
        In place of its `do-nothing`.
    """
    from prefect.events.actions import DoNothing
    from prefect.events.schemas.automations import AutomationCore

    core = AutomationCore.model_validate(automation)
    if action is not None:
        actions = [action if isinstance(own, DoNothing) else own for own in core.actions]
        core = core.model_copy(update={"actions": actions})
    known = client.read_automations_by_name(core.name)
    if not known:
        client.create_automation(core)
    for each in known:
        # One that was paused in the dashboard stays so.
        wanted = core.model_copy(update={"enabled": each.enabled})
        # Whatever is written begins to wait anew, and so would never end a run that it waits for.
        if _content(wanted) != _content(each):
            client.update_automation(each.id, wanted)


def is_another(client: SyncPrefectClient, webhook: str) -> bool:
    """Whether the server has a block `genre-alerts` that is no webhook of this address."""
    from prefect.blocks.webhook import Webhook

    document = _find(client)
    if document is None:
        return False
    if document.block_type is None or document.block_type.slug != _WEBHOOK:
        return True
    found = Webhook.load(BLOCK)
    return not isinstance(found, Webhook) or found.url.get_secret_value() != webhook


def _content(automation: AutomationCore) -> Json:
    """Return what an automation is, without what the server gives it: ids, and order of words."""
    from prefect.events.schemas.automations import AutomationCore

    dumped = automation.model_dump(mode="json", include=set(AutomationCore.model_fields))
    return {**dumped, "trigger": _nameless(dumped["trigger"])}


def _nameless(trigger: Json) -> Json:
    """Drop the ids of a trigger and of those in it; sort what has no order."""
    found = {name: value for name, value in trigger.items() if name != "id"}
    for name, value in found.items():
        if isinstance(value, list):
            inner = [_nameless(each) if name == "triggers" else each for each in value]
            found[name] = sorted(inner, key=str) if name in _UNORDERED else inner
    return found


def _find(client: SyncPrefectClient) -> BlockDocument | None:
    found = [each for each in client.read_block_documents(limit=200) if each.name == BLOCK]
    return found[0] if found else None


def _save_webhook(address: str) -> None:
    from prefect.blocks.webhook import Webhook

    content = {"url": address, "headers": {"content-type": "application/json"}}
    Webhook.model_validate(content).save(BLOCK, overwrite=True)

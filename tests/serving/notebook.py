"""A notifier as users of Airflow write them. Only a process of its own imports it: with it comes Airflow."""

from typing import Any

from airflow.sdk import BaseNotifier

#: What it was handed: kind and message.
taken: list[tuple[str, str]] = []


class Notebook(BaseNotifier):
    """Writes down what it is told."""

    template_fields = ("message",)

    def __init__(self, message: str, fails_on: str = "") -> None:
        super().__init__()
        self.message, self.fails_on = message, fails_on

    def notify(self, context: Any) -> None:
        if context["alert"]["alert_id"] == self.fails_on:
            raise ConnectionError("nobody there")
        taken.append((context["kind"], self.message))

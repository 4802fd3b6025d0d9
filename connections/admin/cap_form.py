"""How much of a server's allowance may be used, and when: "30 % on weekdays from 8 to 18"."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import QueryDict

from connections.models import Endpoint, RequestCap

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class CapForm(forms.ModelForm[RequestCap]):
    """Edits the cap of one endpoint; without a percentage there is none."""

    percent = forms.IntegerField(
        label="Use at most",
        required=False,
        min_value=1,
        max_value=100,
        help_text="percent of the server's allowance; empty: no cap",
    )
    days = forms.MultipleChoiceField(
        label="On",
        required=False,
        choices=[(str(number), name) for number, name in enumerate(DAYS)],
        widget=forms.CheckboxSelectMultiple,
    )
    from_hour = forms.IntegerField(label="From", min_value=0, max_value=23, help_text="o'clock")
    until_hour = forms.IntegerField(
        label="Until", min_value=1, max_value=24, help_text="o'clock; 24: the end of the day"
    )
    zone = forms.CharField(
        label="Time zone", max_length=64, help_text="a name such as Europe/Bratislava"
    )

    class Meta:
        """The endpoint is that of the page."""

        model = RequestCap
        fields = ("percent", "days", "from_hour", "until_hour", "zone")

    def __init__(self, data: QueryDict | None, *, endpoint: Endpoint) -> None:
        """Begin with what is saved."""
        row = RequestCap.objects.filter(endpoint=endpoint).first()
        instance = row or RequestCap(endpoint=endpoint)
        super().__init__(data, instance=instance, initial={"days": list(instance.days)})

    def clean_days(self) -> str:
        """Return the days as digits."""
        return "".join(sorted(self.cleaned_data["days"]))

    def clean_zone(self) -> str:
        """Return a zone that is known."""
        zone: str = self.cleaned_data["zone"].strip()
        if zone not in available_timezones():
            raise forms.ValidationError(
                f"'{zone}' is not a time zone. Enter a name such as Europe/Bratislava, or UTC."
            )
        return zone

    def clean(self) -> dict[str, Any]:
        """Refuse hours that never come, and a cap that holds on no day."""
        found: dict[str, Any] = self.cleaned_data
        first, last = found.get("from_hour"), found.get("until_hour")
        if first is not None and last is not None and first >= last:
            self.add_error("until_hour", "The hour of the end must be after that of the beginning.")
        if found.get("percent") and not found.get("days", "x"):
            self.add_error("days", "Choose at least one day, or empty the percentage.")
        return found

    def keep(self) -> RequestCap | None:
        """Save the cap, or remove it when there is no percentage; return what holds now."""
        if self.cleaned_data["percent"]:
            return self.save()
        RequestCap.objects.filter(endpoint=self.instance.endpoint).delete()
        return None

"""Bodies of the API are taken strictly: what nobody asked for is a mistake."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

#: What a browser's form sends along, without meaning for the API.
_IGNORED = {"csrfmiddlewaretoken"}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know, so that a misspelt field is never ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the clean values.  Raises ValidationError."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields) - _IGNORED)
            if unknown:
                message = "There is no such field."
                raise serializers.ValidationError(
                    {str(name): message for name in unknown}, code="unknown_field"
                )
        return super().to_internal_value(data)


class EmptySerializer(StrictSerializer):
    """A call that takes nothing but its address."""


class PasswordField(serializers.CharField):
    """A password, exactly as typed; never answered, logged or trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True, trim_whitespace=False, max_length=1024, **kwargs
        )

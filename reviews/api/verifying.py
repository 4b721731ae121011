"""Is the log whole, and do the signatures hold?  For auditors."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api import VerdictSerializer, VerifyView
from reviews.approval import verify_signatures


class BadRowSerializer(serializers.Serializer[Any]):
    """A signature, or an approval, that does not hold."""

    row = serializers.CharField()
    message = serializers.CharField()


class SignatureVerdictSerializer(serializers.Serializer[Any]):
    """What a check of every signature and of every present approval found."""

    hold = serializers.BooleanField()
    checked = serializers.IntegerField()
    bad = BadRowSerializer(many=True)


class WholeVerdictSerializer(VerdictSerializer):
    """What a check of the whole chain and of all signatures found."""

    signatures = SignatureVerdictSerializer()


class VerifyEverythingView(VerifyView):
    """Check the whole chain, and every signature."""

    @extend_schema(responses=WholeVerdictSerializer)
    def get(self, request: Request) -> Response:
        """Verify the log first, which also says who may ask."""
        answer = super().get(request)
        signatures = SignatureVerdictSerializer(verify_signatures()).data
        return Response({**answer.data, "signatures": signatures})

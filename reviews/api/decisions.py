"""What is done to a version: submit, withdraw, review, sign off, revoke.

Signing needs the session's person to give their password again, so these views
accept a signed-in session alone, whatever other ways to sign in there may be.
"""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SessionAuthentication
from accounts.policies import require
from accounts.strict import EmptySerializer
from gallery.fetching import version_or_404
from gallery.policies import read_blockers
from reviews.api.presenting import context, version_as_dict
from reviews.models import Signature
from reviews.serializers import (
    ReviewRequestSerializer,
    ReviewSerializer,
    RevocationSerializer,
    SignatureSerializer,
    SignOffRequestSerializer,
    SignOffSerializer,
    VersionDetailSerializer,
)
from reviews.services import (
    record_review,
    record_sign_off,
    revoke,
    submit,
    withdraw,
)
from reviews.signing import Confirmation, confirm


class SigningView(APIView):
    """A call that signs: from a session, never from a token."""

    authentication_classes = (SessionAuthentication,)

    def confirmed(self, request: Request, password: str) -> Confirmation:
        """Check the password again.  Raises WrongPassword, TooManyAttempts."""
        return confirm(
            person=request.user,
            password=password,
            now=timezone.now(),
            request=request._request,
        )


class SubmitView(APIView):
    """Hand a draft to the peers."""

    @extend_schema(request=EmptySerializer, responses=VersionDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Submit a draft for review."""
        version = version_or_404(request.user, slug, number)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        submit(version=version, by=request.user, now=timezone.now())
        return Response(version_as_dict(request, version))


class WithdrawView(APIView):
    """Take a version back."""

    @extend_schema(request=EmptySerializer, responses=VersionDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Withdraw a version that is under review, for good."""
        version = version_or_404(request.user, slug, number)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        withdraw(version=version, by=request.user, now=timezone.now())
        return Response(version_as_dict(request, version))


class ReviewsView(SigningView):
    """Peer review."""

    @extend_schema(request=ReviewRequestSerializer, responses={201: ReviewSerializer})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Approve as a peer, or request changes; signed."""
        version = version_or_404(request.user, slug, number)
        sent = ReviewRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        review = record_review(
            version=version,
            decision=sent.decided(),
            by=request.user,
            confirmation=self.confirmed(request, sent.validated_data["password"]),
            now=timezone.now(),
        )
        told = ReviewSerializer(
            review, context=context(request.user, [version.notebook])
        )
        return Response(told.data, status=status.HTTP_201_CREATED)


class SignOffsView(SigningView):
    """Compliance sign-off."""

    @extend_schema(request=SignOffRequestSerializer, responses={201: SignOffSerializer})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Sign off for use on real data, or reject; signed."""
        version = version_or_404(request.user, slug, number)
        sent = SignOffRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        sign_off = record_sign_off(
            version=version,
            decision=sent.decided(),
            by=request.user,
            confirmation=self.confirmed(request, sent.validated_data["password"]),
            now=timezone.now(),
        )
        told = SignOffSerializer(
            sign_off, context=context(request.user, [version.notebook])
        )
        return Response(told.data, status=status.HTTP_201_CREATED)


class RevokeView(SigningView):
    """Take an approval away."""

    @extend_schema(request=RevocationSerializer, responses=VersionDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Revoke at once; queued runs do not start and running ones stop."""
        version = version_or_404(request.user, slug, number)
        sent = RevocationSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        revoke(
            version=version,
            reason=sent.validated_data["reason"],
            by=request.user,
            confirmation=self.confirmed(request, sent.validated_data["password"]),
            now=timezone.now(),
        )
        return Response(version_as_dict(request, version))


class SignaturesView(GenericAPIView[Signature]):
    """The electronic signatures on a version, oldest first."""

    queryset = Signature.objects.none()
    serializer_class = SignatureSerializer

    @extend_schema(responses=SignatureSerializer(many=True))
    def get(self, request: Request, slug: str, number: int) -> Response:
        """List them with all that it takes to check them elsewhere."""
        version = version_or_404(request.user, slug, number)
        require(read_blockers(request.user, version))
        page = self.paginate_queryset(version.signatures.select_related("person"))
        return self.get_paginated_response(SignatureSerializer(page, many=True).data)

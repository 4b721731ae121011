"""Remarks on a version."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.policies import require
from accounts.strict import EmptySerializer
from gallery.fetching import version_or_404
from gallery.policies import read_blockers
from reviews.models import Comment
from reviews.serializers import CommentRequestSerializer, CommentSerializer
from reviews.services import add_comment, resolve_comment
from reviews.services.comments import Place


class CommentsView(GenericAPIView[Comment]):
    """What was said about a version, oldest first."""

    queryset = Comment.objects.none()
    serializer_class = CommentSerializer

    @extend_schema(responses=CommentSerializer(many=True))
    def get(self, request: Request, slug: str, number: int) -> Response:
        """List the comments, for who may read the code."""
        version = version_or_404(request.user, slug, number)
        require(read_blockers(request.user, version))
        comments = version.comments.select_related("written_by", "resolved_by")
        page = self.paginate_queryset(comments)
        return self.get_paginated_response(CommentSerializer(page, many=True).data)

    @extend_schema(request=CommentRequestSerializer, responses={201: CommentSerializer})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Comment on the version, on a cell, or on a line of it."""
        version = version_or_404(request.user, slug, number)
        require(read_blockers(request.user, version))
        sent = CommentRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        clean = sent.validated_data
        comment = add_comment(
            version=version,
            body=clean["body"],
            place=Place(cell_id=clean["cell_id"], line=clean["line"]),
            by=request.user,
            now=timezone.now(),
        )
        return Response(CommentSerializer(comment).data, status=status.HTTP_201_CREATED)


class ResolveCommentView(APIView):
    """Mark a remark as dealt with."""

    @extend_schema(request=EmptySerializer, responses=CommentSerializer)
    def post(
        self, request: Request, slug: str, number: int, comment_id: int
    ) -> Response:
        """Resolve a comment; one that somebody resolved before is 409."""
        version = version_or_404(request.user, slug, number)
        require(read_blockers(request.user, version))
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        comment = get_object_or_404(
            version.comments.select_related("version__notebook"), pk=comment_id
        )
        resolved = resolve_comment(comment=comment, by=request.user, now=timezone.now())
        return Response(CommentSerializer(resolved).data)

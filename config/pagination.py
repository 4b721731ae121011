"""Lists answer `{count, next, previous, results}`, at most 100 rows a page."""

from rest_framework import pagination


class PageNumberPagination(pagination.PageNumberPagination):
    """Pages of 25; `page_size` asks for another size."""

    page_size_query_param = "page_size"
    max_page_size = 100

"""
One view of every HTTP-shaped event: method, path, headers, query, cookies and body mean the same wherever it came from.
"""

from __future__ import annotations

from lambda_kit._http._answers import (
    FORMAT_1,
    FORMAT_2,
    FORMAT_ALB,
    FORMAT_ALB_MULTI,
    FORMAT_CLOUDFRONT,
    FORMAT_LATTICE,
    answer_form,
    body_text,
)
from lambda_kit._http._balancers import Alb, Lattice1, Lattice2
from lambda_kit._http._edges import CloudFront
from lambda_kit._http._gateways import Format1, Format2
from lambda_kit._http._request import HttpRequest
from lambda_kit._http._values import Headers, Values, printable, well_formed

__all__ = [
    "FORMAT_1",
    "FORMAT_2",
    "FORMAT_ALB",
    "FORMAT_ALB_MULTI",
    "FORMAT_CLOUDFRONT",
    "FORMAT_LATTICE",
    "Headers",
    "HttpRequest",
    "Values",
    "answer_form",
    "body_text",
    "printable",
    "well_formed",
]

HttpRequest.forms = (Format2, Alb, Format1, Lattice1, Lattice2, CloudFront)

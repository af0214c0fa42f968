"""Rows that are about no feature of their own: the contract itself."""

from api import CONTRACT
from run import row

import yaml


@row("contract")
def contract(daemon, api):
    """The daemon serves the contract that the tests hold it against."""
    assert yaml.safe_load(api.get("/openapi.yaml").expect(200).text) == CONTRACT.document

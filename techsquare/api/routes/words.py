"""Texts for the words that rows and answers say, so that whoever shows them need not write his own."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from techsquare.glossary import COLUMNS, LISTS

router = APIRouter(prefix="/v1", tags=["rows"])


class Said(BaseModel):
    """A word as people read it."""

    ko: str
    en: str


class Words(BaseModel):
    """All lists."""

    lists: dict[str, dict[str, Said]] = Field(description="list -> word -> texts")
    columns: dict[str, str] = Field(description="`table.column` -> the list that its words are of")


_ALL = Words(
    lists={
        name: {word: Said(ko=text.ko, en=text.en) for word, text in words.items()} for name, words in LISTS.items()
    },
    columns=dict(COLUMNS),
)


@router.get("/words")
def list_words(response: Response) -> Words:
    """Give the texts of every word, for anyone; they change with a release only."""
    response.headers["Cache-Control"] = "public, max-age=3600"
    return _ALL

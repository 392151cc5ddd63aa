"""A body that the endpoint reads itself: FastAPI hands it over as it was decoded, the reference shows a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class ShownAs:
    """`Annotated[Any, ShownAs(Model)]`: anything at all, described as the model, or as an array of `many`."""

    model: type[BaseModel]
    many: int = 0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        one = handler(self.model.__pydantic_core_schema__)
        return {"type": "array", "items": one, "minItems": 1, "maxItems": self.many} if self.many else one

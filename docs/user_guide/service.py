"""A service of a fitted pipeline: MODEL=pipeline.joblib uvicorn service:app --workers 2"""

import os
from typing import Annotated

import joblib
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

model = joblib.load(os.environ["MODEL"], mmap_mode="r")
model.predict(["builds the networks before the first request"])
app = FastAPI()


class Texts(BaseModel):
    texts: list[Annotated[str, Field(max_length=10_000)]] = Field(min_length=1, max_length=256)


@app.exception_handler(RequestValidationError)
def refuse(request, error) -> JSONResponse:  # FastAPI's own sends back the texts, if it can
    reasons = [{"where": list(e["loc"]), "why": e["msg"]} for e in error.errors()]
    return JSONResponse({"refused": reasons}, status_code=422)


@app.get("/health")
def health() -> dict[str, bool]:
    return {"ready": True}


@app.post("/predict")
def predict(given: Texts) -> dict[str, list]:
    return {"labels": model.predict(given.texts).tolist()}

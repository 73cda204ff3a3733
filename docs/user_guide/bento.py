"""A service of a fitted pipeline: MODEL=pipeline.joblib bentoml serve bento:Predictor"""

import os
from typing import Annotated

import bentoml
import joblib
from pydantic import Field

Text = Annotated[str, Field(max_length=10_000)]


@bentoml.service(workers=int(os.environ.get("WORKERS", "2")), traffic={"timeout": 30})
class Predictor:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"], mmap_mode="r")
        self.model.predict(["builds the networks before the first request"])

    @bentoml.api(batchable=True, max_batch_size=256, max_latency_ms=1000)
    def predict(
        self, texts: Annotated[list[Text], Field(min_length=1, max_length=256)]
    ) -> list[str]:
        return self.model.predict(texts).tolist()

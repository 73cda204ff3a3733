"""Networks for other runtimes."""

from sklearn_cclm._tools.extras import needs_train

with needs_train("Exporting"):
    from sklearn_cclm.export._onnx import export_onnx

__all__ = ["export_onnx"]

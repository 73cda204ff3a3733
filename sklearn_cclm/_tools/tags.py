"""What scikit-learn is told about estimators that read text."""

from sklearn.utils import Tags


class TextTagsMixin:
    """Say that the input is one column of strings, and the output float32 if there is any."""

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a text estimator."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = getattr(self, "missing", "error") == "empty"
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = []
        return tags

"""The one exception that loading raises."""


class ModelFormatError(ValueError):
    """A directory that is no artefact, or one that is damaged, forged or of a newer version."""

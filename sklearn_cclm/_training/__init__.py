"""The one training of all estimators that train a network."""

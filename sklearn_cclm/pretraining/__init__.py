"""Pretrainers: estimators that train a tower, one task a file."""

from sklearn_cclm._tools.extras import needs_train

with needs_train("Pretraining"):
    from sklearn_cclm._training.task import Task
    from sklearn_cclm.pretraining._history import HistoryDisplay
    from sklearn_cclm.pretraining._pretrainer import BasePretrainer
    from sklearn_cclm.pretraining.causal_language import CausalLanguagePretrainer
    from sklearn_cclm.pretraining.classification import ClassificationPretrainer
    from sklearn_cclm.pretraining.contrastive import ContrastivePretrainer
    from sklearn_cclm.pretraining.distillation import DistillationPretrainer
    from sklearn_cclm.pretraining.entity import EntityPretrainer
    from sklearn_cclm.pretraining.masked_character import MaskedCharacterPretrainer
    from sklearn_cclm.pretraining.masked_language import MaskedLanguagePretrainer
    from sklearn_cclm.pretraining.multi_task import MultiTaskPretrainer
    from sklearn_cclm.pretraining.task_pretrainer import TaskPretrainer

__all__ = [
    "BasePretrainer",
    "CausalLanguagePretrainer",
    "ClassificationPretrainer",
    "ContrastivePretrainer",
    "DistillationPretrainer",
    "EntityPretrainer",
    "HistoryDisplay",
    "MaskedCharacterPretrainer",
    "MaskedLanguagePretrainer",
    "MultiTaskPretrainer",
    "Task",
    "TaskPretrainer",
]

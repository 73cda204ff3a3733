"""Training in two processes: torchrun --nproc_per_node=2 several_processes.py TEXTS FOLDER"""

import sys

import torch.distributed as dist

from sklearn_cclm import MaskedCharacterPretrainer
from sklearn_cclm.datasets import TextFiles

texts, folder = sys.argv[1:]
dist.init_process_group()
pretrainer = MaskedCharacterPretrainer(
    max_epochs=2, random_state=0, checkpoint=f"{folder}/unfinished"
).fit(TextFiles(texts))
if dist.get_rank() == 0:
    pretrainer.tower_.save(f"{folder}/tower")
dist.destroy_process_group()

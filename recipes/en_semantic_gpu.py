"""Learn the tower "en-semantic" on a machine with a GPU, in minutes; not run on one yet.

    pip install -r recipes/requirements.txt
    python recipes/en_corpus.py
    python recipes/en_semantic_gpu.py --mpnet DIR --out DIR [--texts FILE] [--most N] [--minutes N]
                                      [--width N] [--buckets N] [--device DEVICE] [--work DIR]
    python recipes/en_semantic.py --learned DIR --shelf DIR

all-mpnet-base-v2, whose folder is DIR of --mpnet, and the universal sentence encoder are asked
about all texts; their vectors are kept in --work. `_device_loop.py` trains, and the tower is saved
to DIR of --out, from where the other recipe publishes it. Typos are read from the folder named by
the environment variable CCLM_DATA (default ../shared/data).
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch
from _corpora import attested_typos
from _device_loop import readers, train
from _teachers import mpnet, side_by_side, universal
from en_semantic import KINDS, WORK, corpus

from sklearn_cclm import CCLMModelBase, CharPreprocessor, PooledConfig, Tower, TypoNoise
from sklearn_cclm.nn import PooledTower


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--texts", type=Path, default=WORK / "corpus" / "texts.txt.xz", help="a text a line")
    add("--most", type=int, help="texts to read (all)")
    add("--mpnet", type=Path, required=True, help="folder of all-mpnet-base-v2")
    add("--work", type=Path, default=WORK)
    add("--out", type=Path, required=True, help="directory to save the tower to")
    add("--minutes", type=float, default=5, help="of training (5)")
    add("--width", type=int, default=288, help="of the table (288)")
    add("--buckets", type=int, default=2**17, help="its rows (131,072)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    texts = corpus(options.texts, options.most)
    recipe = CCLMModelBase(
        CharPreprocessor(max_example_len=320),
        width=options.width,
        n_buckets=options.buckets,
        random_state=0,
    )
    base = recipe.fit(texts).base_
    noise = TypoNoise(KINDS, rate=(-0.1, 0.3), typos=attested_typos())
    pool = readers(texts, noise, base.preprocessor())
    asked = [
        mpnet(texts, options.work, folder=options.mpnet, device=options.device),
        universal(texts, options.work),
    ]
    targets = torch.as_tensor(side_by_side(asked, options.width)).half().to(options.device)
    config = PooledConfig(width=options.width, hidden=0)
    network = base.build().to(options.device)
    tower = PooledTower(config, base_width=options.width).to(options.device)
    with pool:
        for share, loss, seen in train(network, tower, targets, pool, seconds=60 * options.minutes):
            print(f"{share:.0%} of the time, {seen:,} texts, loss {loss:.4f}", flush=True)
    Tower.from_module(
        tower,
        base=base.with_module(network),
        architecture="pooled",
        config=asdict(config),
        task="distillation",
    ).save(options.out, dtype="int8")


if __name__ == "__main__":
    main()

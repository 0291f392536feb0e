"""The names that the model learns: things of the scenes, classes of the photographs, wider terms."""

import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def read_table(path):
    """Read lines of "word = other, other" as {word: [other, ...]}."""
    table = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.strip()
            if line and not line.startswith("#"):
                word, others = line.split(" = ")
                table[word] = [other.strip() for other in others.split(",")]
    return table


def held_out_synonyms():
    """{synonym: name} of the words that no caption holds."""
    return {word: name[0] for word, name in read_table(os.path.join(HERE, "synonyms.txt")).items()}


class Names:
    """All names with their numbers: first the scenes' things, then the photographs' classes."""

    def __init__(self, things, classes):
        """`things` are the scenes' names, `classes` lists of synonyms of the photographs' classes."""
        firsts = [synonyms[0] for synonyms in classes]
        self.names = list(dict.fromkeys([*things, *firsts]))
        self.number = {name: i for i, name in enumerate(self.names)}
        self.of_thing = np.array([self.number[name] for name in things])
        self.of_class = np.array([self.number[name] for name in firsts])
        kept_back = set(held_out_synonyms())
        self.synonyms = [[name] for name in self.names]
        for name, synonyms in zip(firsts, classes):
            others = [s for s in synonyms[1:] if self._plain(s) and s not in self.number
                      and not kept_back & {s, *s.split()}]
            self.synonyms[self.number[name]] += others
        self.wider = [[i] for i in range(len(self.names))]
        for name, terms in read_table(os.path.join(HERE, "hypernyms.txt")).items():
            self.wider[self.number[name]] += [self.number[term] for term in terms]
        self.covers = np.zeros((len(self.names), len(self.names)), bool)
        for i, numbers in enumerate(self.wider):
            self.covers[i, numbers] = True

    @staticmethod
    def _plain(synonym):
        """Leave out the Latin ones: more than one word in lists where species are given."""
        return synonym.isascii() and len(synonym.split()) <= 2 and not synonym.split()[-1].endswith(("us", "is", "ii"))

    def present(self, numbers):
        """Which names are true of a picture with these things: theirs and the wider ones."""
        return self.covers[numbers].any(axis=0)

    def word(self, rng, number):
        """A word for a name and the number of what it says: itself, a synonym or a wider term."""
        said = number
        if len(self.wider[number]) > 1 and rng.random() < 0.2:
            said = self.wider[number][rng.integers(len(self.wider[number]))]
        words = self.synonyms[said]
        chosen = words[0] if rng.random() < 0.7 else words[rng.integers(len(words))]
        return chosen, said

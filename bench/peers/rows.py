# SPDX-License-Identifier: Apache-2.0
"""What is compared: one row of the table each."""

from dataclasses import dataclass

# Words for the text tower. The second is as long as fits into 77 tokens with every template around it.
SHORT_LABEL = "traffic light"
LONG_LABEL = " ".join(["red", "green", "blue", "big", "small", "old", "new", "wet", "dry", "hot", "cold"] * 6)


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    model: str  # a shape that tools/seeded-model knows
    kind: str  # vit, resnet or text
    side: int = 224
    batch: int = 1
    label: str = ""
    # Which of its two ways in OpenVINO is given, the one that was faster where we looked: the exported program of
    # PyTorch, which keeps attention as one operator, or the ONNX file, which has products and softmax.
    openvino: str = "torch"

    @property
    def small(self):
        """Whether it is measured on one thread as well, if nobody says."""
        return self.kind != "text" and self.side * self.batch <= 224

    @property
    def export(self):
        """The name of what is exported for it: rows of the same work share it."""
        return f"{self.model.replace('/', '-')}-{'text' if self.kind == 'text' else self.side}-b{self.batch}"


ROWS = [
    Row("vit-b-16-224", "ViT-B/16 surgery 224, batch 1", "ViT-B/16", "vit"),
    Row("vit-b-16-224-b8", "ViT-B/16 surgery 224, batch 8", "ViT-B/16", "vit", batch=8),
    Row("vit-b-16-512", "ViT-B/16 surgery 512, batch 1", "ViT-B/16", "vit", side=512, openvino="onnx"),
    Row("vit-b-32-224", "ViT-B/32 surgery 224, batch 1", "ViT-B/32", "vit"),
    Row("vit-l-14-224", "ViT-L/14 surgery 224, batch 1", "ViT-L/14", "vit"),
    Row("rn50-224", "RN50 surgery 224, batch 1", "RN50", "resnet"),
    Row("text-short", "text tower, one label in 85 templates", "ViT-B/16", "text", label=SHORT_LABEL),
    Row("text-long", "text tower, 85 prompts of nearly 77 tokens", "ViT-B/16", "text", label=LONG_LABEL),
]

"""The network of the judges, which stands in no notebook: it has nothing to do with the models that it judges."""

from torch import nn


class DigitClassifier(nn.Module):
    """The judge's network: pixels (B, 1, 28, 28) to logits (B, 10)."""

    def __init__(self):
        super().__init__()
        self.extractor = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=5, padding=2),  # 1 x 28 x 28 => 16 x 28 x 28
            nn.MaxPool2d(2),  # => 16 x 14 x 14
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),  # => 32 x 14 x 14
            nn.MaxPool2d(2),  # => 32 x 7 x 7
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3, padding=1),  # => 64 x 7 x 7
            nn.MaxPool2d(2),  # => 64 x 3 x 3
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Flatten(),  # => 576
            nn.Dropout(0.3),
            nn.Linear(576, 128),  # => 128
            nn.ReLU(),
        )
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.extractor(x))

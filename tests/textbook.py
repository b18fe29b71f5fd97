"""The training loop that everybody writes, to compare ours with."""

import numpy as np
import torch
import torch.nn.functional as F

from binenc import data
from binenc.models import build

N_TRAIN = 1437


def changed(profile, experiment="digits_mlp", protocol="as_written", architecture="binary_encoding", seed=0):
    return profile.run(experiment, protocol, architecture, seed)


def textbook(run, epochs: int, device: str = "cpu") -> tuple[list[tuple[float, float]], dict]:
    """Mean loss and accuracy of each epoch and the final weights, by the loop that everybody writes.

    Nothing of `binenc.training` or `binenc.loss` is used, and the protocols are told apart by name.
    """
    e, written = run.experiment, run.protocol_name == "as_written"
    split = data.load(e.dataset).train
    torch.manual_seed(run.seed)
    order = torch.Generator().manual_seed(run.seed)
    model = build(run, split.images.shape[-1], 10).to(device)
    curve = []
    optimizer = torch.optim.Adam(model.parameters(), lr=e.learning_rate, foreach=False, fused=False)
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = e.learning_rate / 2 ** (epoch // e.halve_every) if written else e.learning_rate
        if written or epoch == 0:
            model.train()
        else:
            model.eval()
        points = torch.randperm(len(split.labels), generator=order).tolist()
        loss_sum = correct = 0
        for start in range(0, len(points), e.batch_size):
            batch = points[start : start + e.batch_size]
            images, labels = split.images[batch].to(device), split.labels[batch].to(device)
            logits, latents = model(images)
            loss = F.cross_entropy(logits if written else logits.softmax(1), labels)
            if run.architecture == "binary_encoding":
                loss = loss + e.gamma * torch.exp((latents**2).mean())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(batch)
            correct += (logits.argmax(1) == labels).sum().item()
        curve.append((loss_sum / len(points), correct / len(points)))
    return curve, model.state_dict()


def curve_of(record) -> np.ndarray:
    """Mean loss and accuracy of each epoch."""
    wide = record.history[record.history.metric.str.startswith("epoch_")].pivot(
        index="epoch", columns="metric", values="value"
    )
    return wide[["epoch_loss", "epoch_accuracy"]].to_numpy()


def assert_same_numbers(run, trained, plain):
    """Equal but for the rounding of float32, which a few epochs amplify."""
    (record, weights), (curve, plain_weights) = trained, plain
    np.testing.assert_allclose(curve_of(record)[:, 0], [loss for loss, _ in curve], rtol=2e-5)
    np.testing.assert_allclose(curve_of(record)[:, 1], [acc for _, acc in curve], atol=2.1 / N_TRAIN)
    for name, weight in weights.items():
        torch.testing.assert_close(weight, plain_weights[name].cpu(), rtol=1e-2, atol=5e-4)
